//! Command lines that documents show, with what they print.

/// A command and the output below it, from a ```console block.
pub(crate) struct Example {
    pub(crate) command: String,
    pub(crate) output: String,
}

/// All of them, in their order.
pub(crate) fn examples(text: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut is_console = false;
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            is_console = language == "console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| is_console) {
            examples.push(Example { command: command.to_owned(), output: String::new() });
        } else if let Some(example) = examples.last_mut().filter(|_| is_console) {
            example.output.push_str(line);
            example.output.push('\n');
        }
    }
    examples
}

/// What differs from run to run is masked: numbers, ids of backups and new revisions, times, and so column widths.
pub(crate) fn masked(text: &str) -> String {
    let mut masked = String::new();
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().map(mask_word).collect();
        masked.push_str(words.join(" ").trim());
        masked.push('\n');
    }
    masked
}

fn mask_word(word: &str) -> String {
    let mut out = String::new();
    for part in word.split_inclusive(['/', '_', ':', ',', '-']) {
        let digits = part.chars().filter(char::is_ascii_digit).count();
        let hex = part.trim_end_matches(['/', '_', ':', ',', '-']).chars().all(|c| c.is_ascii_hexdigit());
        let is_id = hex && part.len() >= 4;
        if is_id || digits > 0 {
            let tail = part.chars().last().filter(|c| matches!(c, '/' | '_' | ':' | ',' | '-'));
            out.push('#');
            out.extend(tail);
        } else {
            out.push_str(part);
        }
    }
    out
}
