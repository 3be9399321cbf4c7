//! A terminal as far as dbops uses one: colours, and the line of progress that is drawn again and again.

use anyhow::{Result, bail};

/// The size that programs are told.
pub(super) const COLUMNS: usize = 104;
pub(super) const ROWS: usize = 30;

/// How a character looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Look {
    pub(super) colour: Option<Colour>,
    pub(super) is_bold: bool,
    pub(super) is_faint: bool,
}

/// The colours that dbops and its tables use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Red,
    Green,
    Yellow,
    Blue,
    Cyan,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Line {
    pub(super) characters: Vec<(char, Look)>,
    /// It goes on where the line above it had no room left.
    pub(super) is_continued: bool,
}

#[derive(Default)]
pub(super) struct Screen {
    lines: Vec<Line>,
    row: usize,
    column: usize,
    look: Look,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { lines: vec![Line::default()], ..Self::default() }
    }

    /// Draws what a program wrote.
    pub(super) fn show(&mut self, written: &str) -> Result<()> {
        let mut characters = written.chars();
        while let Some(character) = characters.next() {
            match character {
                '\n' => self.go_down(1),
                '\r' => self.column = 0,
                '\u{1b}' => {
                    if characters.next() != Some('[') {
                        bail!("an escape sequence that no picture is made of");
                    }
                    let mut sequence = String::new();
                    for character in characters.by_ref() {
                        sequence.push(character);
                        if ('@'..='~').contains(&character) {
                            break;
                        }
                    }
                    self.obey(&sequence)?;
                }
                character if character.is_control() => bail!("a control character in the output: {character:?}"),
                character => self.put(character),
            }
        }
        Ok(())
    }

    fn put(&mut self, character: char) {
        if self.column == COLUMNS {
            self.go_down(1);
            self.column = 0;
            self.lines[self.row].is_continued = true;
        }
        let line = &mut self.lines[self.row].characters;
        if line.len() <= self.column {
            line.resize(self.column + 1, (' ', Look::default()));
        }
        line[self.column] = (character, self.look);
        self.column += 1;
    }

    fn go_down(&mut self, count: usize) {
        self.row += count;
        let length = self.lines.len().max(self.row + 1);
        self.lines.resize(length, Line::default());
    }

    /// A control sequence, without `ESC [`: ECMA-48 calls the last letter's meaning by the names given here.
    fn obey(&mut self, sequence: &str) -> Result<()> {
        let (parameters, letter) = sequence.split_at(sequence.len().saturating_sub(1));
        let count = parameters.parse().unwrap_or(1);
        match (letter, parameters) {
            // SGR
            ("m", _) => parameters.split(';').try_for_each(|code| self.restyle(code))?,
            // CUU, CUD
            ("A", _) => self.row = self.row.saturating_sub(count),
            ("B", _) => self.go_down(count),
            // EL
            ("K", "2") => self.lines[self.row] = Line::default(),
            ("K", "" | "0") => self.lines[self.row].characters.truncate(self.column),
            // ED
            ("J", "" | "0") => {
                self.lines.truncate(self.row + 1);
                self.lines[self.row].characters.truncate(self.column);
            }
            // The cursor is hidden and shown.
            ("h" | "l", "?25") => {}
            _ => bail!("a control sequence that no picture is made of: {sequence:?}"),
        }
        Ok(())
    }

    fn restyle(&mut self, code: &str) -> Result<()> {
        let look = &mut self.look;
        match code {
            "" | "0" => *look = Look::default(),
            "1" => look.is_bold = true,
            "2" => look.is_faint = true,
            "22" => (look.is_bold, look.is_faint) = (false, false),
            "31" => look.colour = Some(Colour::Red),
            "32" => look.colour = Some(Colour::Green),
            "33" => look.colour = Some(Colour::Yellow),
            "34" => look.colour = Some(Colour::Blue),
            "36" => look.colour = Some(Colour::Cyan),
            "39" => look.colour = None,
            _ => bail!("a style that no picture has: {code}"),
        }
        Ok(())
    }

    /// What stands there in the end, without the empty lines below it.
    pub(super) fn into_lines(mut self) -> Vec<Line> {
        while self.lines.last().is_some_and(|line| line.characters.is_empty()) {
            self.lines.pop();
        }
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, Colour, Look, Screen};

    #[test]
    fn shows_what_stands_there_in_the_end() {
        let cases = [
            ("one\r\ntwo\r\n", "one|two"),
            ("⠋ working\r\u{1b}[2Kdone\r\n", "done"),
            ("⠋ one\n⠋ two\r\u{1b}[2K\u{1b}[1A\r\u{1b}[2Kdone\r\n", "done"),
            ("longer\rab\u{1b}[K", "ab"),
            ("a\r\n\r\nb\r\n\r\n", "a||b"),
        ];
        for (written, expected) in cases {
            let mut screen = Screen::new();
            screen.show(written).expect("it is understood");
            let lines = screen.into_lines();
            let lines: Vec<String> =
                lines.iter().map(|line| line.characters.iter().map(|(c, _)| *c).collect()).collect();
            assert_eq!(lines.join("|"), expected, "{written:?}");
        }
    }

    #[test]
    fn a_line_goes_on_in_the_next_one_where_the_terminal_ends() {
        let mut screen = Screen::new();
        screen.show(&format!("{}\r\nb", "a".repeat(COLUMNS + 1))).expect("it is understood");
        let lines = screen.into_lines();
        let shapes: Vec<_> = lines.iter().map(|line| (line.characters.len(), line.is_continued)).collect();
        assert_eq!(shapes, [(COLUMNS, false), (1, true), (1, false)]);
    }

    #[test]
    fn colours_last_until_they_are_taken_back_and_what_is_not_known_is_told() {
        let mut screen = Screen::new();
        screen.show("\u{1b}[1m\u{1b}[31ma\u{1b}[0mb\u{1b}[2;32mc").expect("it is understood");
        let looks: Vec<_> = screen.into_lines()[0].characters.iter().map(|(_, look)| *look).collect();
        let red = Look { colour: Some(Colour::Red), is_bold: true, is_faint: false };
        let green = Look { colour: Some(Colour::Green), is_bold: false, is_faint: true };
        assert_eq!(looks, [red, Look::default(), green]);
        for strange in ["\u{1b}[38;5;1ma", "\u{1b}]0;title\u{7}", "\u{1b}[10;10H", "\u{8}"] {
            assert!(Screen::new().show(strange).is_err(), "{strange:?}");
        }
    }
}
