//! The tour: the commands of the README's section of that name, each run at a terminal.

use anyhow::Result;

use super::screen::{Line, Screen};
use super::stage::Stage;

/// The heading of the section.
const SECTION: &str = "## A tour";

/// A command, and what the README says just before it.
pub(super) struct Step {
    pub(super) remark: Option<String>,
    pub(super) command: String,
}

/// A step, and what the terminal showed then.
pub(super) struct Scene {
    pub(super) step: Step,
    pub(super) output: Vec<Line>,
}

/// The commands of dbops in the section's ```console blocks; what starts and stops the stack is left out.
pub(super) fn steps(readme: &str) -> Vec<Step> {
    let lines = readme.lines().skip_while(|line| *line != SECTION).skip(1).take_while(|line| !line.starts_with("## "));
    let (mut steps, mut paragraph, mut is_console) = (Vec::new(), String::new(), false);
    for line in lines {
        if line.starts_with("```") {
            is_console = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| is_console) {
            let remark = Some(std::mem::take(&mut paragraph)).filter(|text| !text.is_empty());
            if command.starts_with("dbops ") {
                steps.push(Step { remark, command: command.to_owned() });
            }
        } else if !is_console && line.is_empty() {
            // The last paragraph is what is about the block.
            paragraph.push('\n');
        } else if !is_console {
            let about = if paragraph.ends_with('\n') { "" } else { paragraph.trim_end() };
            paragraph = format!("{about} {line}").trim_start().to_owned();
        }
    }
    for remark in steps.iter_mut().filter_map(|step: &mut Step| step.remark.as_mut()) {
        *remark = remark.trim().trim_end_matches(':').to_owned();
    }
    steps
}

/// Runs a step's command to its end.
pub(super) async fn play(stage: &Stage, step: Step) -> Result<Scene> {
    let mut screen = Screen::new();
    screen.show(&stage.at_a_terminal(&step.command).await?)?;
    Ok(Scene { output: screen.into_lines(), step })
}

#[cfg(test)]
mod tests {
    use super::steps;

    #[test]
    fn each_command_comes_with_the_paragraph_before_its_block() {
        let readme = "## Before\n```console\n$ dbops no\n```\n## A tour\n\n```console\n$ export PATH=x\n```\n\nOne thing.\n\n\
                      Another, on\ntwo lines:\n\n```console\n$ dbops a\nfound\n$ dbops b\n```\n\nNot run:\n\n```\n$ dbops c\n```\n\
                      \n```console\n$ cargo xtask dev-down\n```\n\nLast:\n\n```console\n$ dbops d\n```\n## Behind\n$ dbops no\n";
        let steps = steps(readme);
        let shown: Vec<_> = steps.iter().map(|step| (step.remark.as_deref(), step.command.as_str())).collect();
        assert_eq!(shown, [(Some("Another, on two lines"), "dbops a"), (None, "dbops b"), (Some("Last"), "dbops d")]);
    }
}
