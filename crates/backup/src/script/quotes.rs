//! Where a quoted text ends.

/// `'…'`; in `E'…'` a backslash takes the meaning from what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) has_escapes: bool,
    is_escaped: bool,
}

impl Literal {
    pub(crate) fn new(has_escapes: bool) -> Self {
        Self { has_escapes, is_escaped: false }
    }

    /// Whether this byte, the next one, is the last. Two quotes end one literal and begin the next, which is the same.
    pub(crate) fn ends_with(&mut self, byte: u8) -> bool {
        let was_escaped = std::mem::take(&mut self.is_escaped);
        self.is_escaped = self.has_escapes && byte == b'\\' && !was_escaped;
        byte == b'\'' && !was_escaped
    }
}

/// `$tag$…$tag$`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dollar {
    tag: Vec<u8>,
    /// What was read of the tag that may end it.
    candidate: Option<Vec<u8>>,
}

impl Dollar {
    pub(crate) fn new(tag: Vec<u8>) -> Self {
        Self { tag, candidate: None }
    }

    /// Whether this byte, the next one, is the last.
    pub(crate) fn ends_with(&mut self, byte: u8) -> bool {
        match (byte, &mut self.candidate) {
            (b'$', Some(read)) if *read == self.tag => return true,
            // One that ends no tag may begin one.
            (b'$', _) => self.candidate = Some(Vec::new()),
            (_, Some(read)) => {
                read.push(byte);
                if !self.tag.starts_with(read) {
                    self.candidate = None;
                }
            }
            (_, None) => {}
        }
        false
    }
}
