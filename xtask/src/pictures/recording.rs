//! The tour as an SVG that plays like a recording: commands are typed, their output appears, the text moves up.
//!
//! It is a still picture of the beginning for whoever wants nothing to move, light or dark as its reader is, and text
//! throughout: a line of the terminal is a `<text>`, with class `w` where it goes on from the one above. How fast it plays
//! is made up, so that the same output gives the same bytes.

use std::fmt::Write;

use super::screen::{COLUMNS, Colour, Line, Look, ROWS};
use super::tour::Scene;

const LINE_HEIGHT: usize = 19;
/// Of a character, in the fonts named below; in a narrower one there is more room on the right.
const CHARACTER_WIDTH: f64 = 8.43;
const MARGIN: usize = 18;

/// In seconds.
const TYPING: f64 = 0.035;
const WAIT: f64 = 0.35;
const READING: f64 = 0.7;
const READING_A_LINE: f64 = 0.28;
const END: f64 = 5.0;

const STYLE: &str = "\
.b{fill:#f6f8fa;stroke:#d4dbe3}text{fill:#1b2430;white-space:pre}\
.p{fill:#5f7389;font-weight:600}.f{fill:#5b6875}.r{fill:#b3201b}.g{fill:#1a6b35}.y{fill:#8a5200}.l,.c{fill:#1a5fb4}.o{font-weight:700}
@media(prefers-color-scheme:dark){.b{fill:#0e1217;stroke:#2c3641}text{fill:#e2e8ef}\
.p{fill:#8ea2b8}.f{fill:#a4b0bd}.r{fill:#ff8f87}.g{fill:#6fcf8b}.y{fill:#e5b25c}.l,.c{fill:#7fb2f0}}
@media(prefers-reduced-motion:reduce){*{animation:none!important}}
";
const FONTS: &str =
    "ui-monospace,SFMono-Regular,'SF Mono',Menlo,Consolas,'Liberation Mono','DejaVu Sans Mono',monospace";

/// Something that appears.
struct Event {
    /// In seconds.
    at: f64,
    lines: Vec<Line>,
    /// How long it takes to be typed; what is not typed is there at once.
    typing: Option<f64>,
}

/// Draws the whole tour.
pub(super) fn draw(scenes: &[Scene]) -> String {
    let (events, length) = time(scenes);
    let mut style = String::from(STYLE);
    let mut text = String::new();
    let mut scroll = String::new();
    let mut row = 0;
    for (number, event) in events.iter().enumerate() {
        style.push_str(&keyframes(number, event, length));
        let _ = writeln!(text, "<g style=\"animation-name:e{number}\">");
        for line in &event.lines {
            row += 1;
            let _ = writeln!(text, "{}", draw_line(line, row * LINE_HEIGHT - 5));
        }
        text.push_str("</g>\n");
        if row > ROWS {
            let up = (row - ROWS) * LINE_HEIGHT;
            let _ = write!(scroll, "{}{{transform:translateY(-{up}px)}}", percent(event.at, length));
        }
    }
    let _ = writeln!(style, "@keyframes s{{0%{{transform:none}}{scroll}}}");
    let _ = writeln!(style, "g{{animation:{length:.1}s step-end infinite}}");
    let (width, height) = ((COLUMNS as f64 * CHARACTER_WIDTH).ceil() as usize, ROWS * LINE_HEIGHT);
    let (outer_width, outer_height) = (width + 2 * MARGIN, height + 2 * MARGIN);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {outer_width} {outer_height}\" \
         width=\"{outer_width}\" height=\"{outer_height}\" role=\"img\" font-family=\"{FONTS}\" font-size=\"14\">\n\
         <title>A tour of dbops at a terminal</title>\n<style>\n{style}</style>\n\
         <rect class=\"b\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n\
         <svg x=\"{MARGIN}\" y=\"{MARGIN}\" width=\"{width}\" height=\"{height}\">\n<g style=\"animation-name:s\">\n\
         {text}</g>\n</svg>\n</svg>\n",
        outer_width - 1,
        outer_height - 1,
    )
}

/// What appears when, and how long all of it takes.
fn time(scenes: &[Scene]) -> (Vec<Event>, f64) {
    let (mut events, mut now): (Vec<Event>, f64) = (Vec::new(), WAIT);
    for scene in scenes {
        if let Some(remark) = &scene.step.remark {
            let space = (!events.is_empty()).then(Line::default);
            let lines: Vec<_> = space.into_iter().chain(remark_lines(remark)).collect();
            let length = lines.len() as f64;
            events.push(Event { at: now, lines, typing: None });
            now += READING + READING_A_LINE * length;
        }
        let command = plain(&format!("$ {}", scene.step.command), Look::default());
        let typing = scene.step.command.chars().count() as f64 * TYPING;
        events.push(Event { at: now, lines: vec![command], typing: Some(typing) });
        now += typing + WAIT;
        events.push(Event { at: now, lines: scene.output.clone(), typing: None });
        now += READING + READING_A_LINE * scene.output.len() as f64;
    }
    (events, now + END)
}

/// A remark as a comment of the shell, broken between words.
fn remark_lines(remark: &str) -> Vec<Line> {
    let faint = Look { is_faint: true, ..Look::default() };
    let mut lines = vec![String::from("#")];
    for word in remark.split_whitespace() {
        if lines.last().is_some_and(|line| line.chars().count() + 1 + word.chars().count() > COLUMNS) {
            lines.push(String::from("#"));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.iter().map(|line| plain(line, faint)).collect()
}

fn plain(text: &str, look: Look) -> Line {
    Line { characters: text.chars().map(|character| (character, look)).collect(), is_continued: false }
}

fn percent(at: f64, length: f64) -> String {
    format!("{:.2}%", at / length * 100.0)
}

/// When an event is to be seen. `step-end` keeps each state until the next one begins.
fn keyframes(number: usize, event: &Event, length: f64) -> String {
    let start = percent(event.at, length);
    let Some(typing) = event.typing else {
        return format!("@keyframes e{number}{{0%{{visibility:hidden}}{start},to{{visibility:visible}}}}\n");
    };
    let characters = event.lines.iter().map(|line| line.characters.len()).sum::<usize>();
    // The prompt is there before the command.
    let hidden = 100.0 - 200.0 / characters as f64;
    format!(
        "@keyframes e{number}{{0%{{visibility:hidden}}{start}{{visibility:visible;clip-path:inset(-4px {hidden:.2}% \
         -4px 0);animation-timing-function:steps({})}}{}{{clip-path:inset(-4px 0 -4px 0)}}to{{visibility:visible;\
         clip-path:inset(-4px 0 -4px 0)}}}}\n",
        characters - 2,
        percent(event.at + typing, length),
    )
}

fn draw_line(line: &Line, y: usize) -> String {
    let class = if line.is_continued { " class=\"w\"" } else { "" };
    let mut drawn = format!("<text{class} y=\"{y}\">");
    if line.characters.is_empty() {
        // Nothing that a copy of the text would lose.
        return drawn + "</text>";
    }
    let is_prompt = line.characters.starts_with(&[('$', Look::default()), (' ', Look::default())]);
    let (prompt, rest) = line.characters.split_at(if is_prompt { 2 } else { 0 });
    if is_prompt {
        let _ = write!(drawn, "<tspan class=\"p\">{}</tspan>", escaped(prompt));
    }
    for run in rest.chunk_by(|(_, one), (_, other)| one == other) {
        match classes(run[0].1) {
            classes if classes.is_empty() => drawn.push_str(&escaped(run)),
            classes => {
                let _ = write!(drawn, "<tspan class=\"{classes}\">{}</tspan>", escaped(run));
            }
        }
    }
    drawn + "</text>"
}

fn classes(look: Look) -> String {
    let colour = look.colour.map(|colour| match colour {
        Colour::Red => "r",
        Colour::Green => "g",
        Colour::Yellow => "y",
        Colour::Blue => "l",
        Colour::Cyan => "c",
    });
    let all = [colour, look.is_bold.then_some("o"), look.is_faint.then_some("f")];
    all.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn escaped(characters: &[(char, Look)]) -> String {
    let text: String = characters.iter().map(|(character, _)| character).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
