//! What an object store needs of the environment: the variables that its own tools read, and AWS' files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::environment::Environment;
use crate::failure::{Failure, Result};

/// The keys of AWS' files that count, and what they are called as variables.
const AWS_KEYS: [(&str, &str); 5] = [
    ("aws_access_key_id", "aws_access_key_id"),
    ("aws_secret_access_key", "aws_secret_access_key"),
    ("aws_session_token", "aws_session_token"),
    ("region", "aws_region"),
    ("endpoint_url", "aws_endpoint_url"),
];

/// The settings for a repository at a URL, named as the variables are, in small letters.
pub(crate) fn options(environment: &Environment, scheme: &str) -> Result<Vec<(String, String)>> {
    let prefix = match scheme {
        "s3" => "AWS_",
        "gs" => "GOOGLE_",
        _ => "AZURE_",
    };
    let variables = environment.all().filter_map(|(name, value)| {
        let value = value.to_str().filter(|value| !value.is_empty() && name.starts_with(prefix))?;
        Some((name.to_ascii_lowercase(), value.to_owned()))
    });
    let variables: BTreeMap<_, _> = variables.collect();
    let mut options = if scheme == "s3" { aws_files(environment, &variables)? } else { BTreeMap::new() };
    options.extend(variables);
    Ok(options.into_iter().collect())
}

/// What AWS' files say of the profile. Credentials in the environment stand for those of the files as a whole.
fn aws_files(environment: &Environment, variables: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let file = |variable: &str, name: &str| {
        environment.path(variable).or_else(|| Some(environment.path("HOME")?.join(".aws").join(name)))
    };
    let profile = environment.text("AWS_PROFILE");
    let name = profile.unwrap_or("default");
    let section = if name == "default" { name.to_owned() } else { format!("profile {name}") };
    let config = read_section(file("AWS_CONFIG_FILE", "config"), &section)?;
    let credentials = read_section(file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), name)?;
    if profile.is_some() && config.is_none() && credentials.is_none() {
        let failure = Failure::usage(format!("AWS_PROFILE names `{name}`, which is in none of AWS' files"));
        return Err(failure.with_hint("add the profile to ~/.aws/credentials, or unset AWS_PROFILE"));
    }
    let mut found = config.unwrap_or_default();
    found.extend(credentials.unwrap_or_default());
    if variables.contains_key("aws_access_key_id") {
        found.retain(|key, _| key == "region" || key == "endpoint_url");
    }
    let named = AWS_KEYS.iter().filter_map(|(key, option)| Some(((*option).to_owned(), found.remove(*key)?)));
    Ok(named.collect())
}

/// A section of a file with `[names]` and `key = value`; `None` when there is none.
fn read_section(path: Option<PathBuf>, section: &str) -> Result<Option<BTreeMap<String, String>>> {
    let Some(path) = path.filter(|path| path.is_file()) else { return Ok(None) };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
    Ok(parse_section(&text, section))
}

fn parse_section(text: &str, section: &str) -> Option<BTreeMap<String, String>> {
    let mut found: Option<BTreeMap<_, _>> = None;
    let mut is_in = false;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name.trim()) {
            is_in = name == section;
            if is_in {
                found.get_or_insert_default();
            }
        } else if is_in
            && !line.starts_with(['#', ';'])
            && let (Some(found), Some((key, value))) = (&mut found, line.split_once('='))
        {
            found.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::parse_section;

    #[test]
    fn reads_one_section_of_awss_files() {
        let text =
            "# mine\n[default]\nregion = eu-west-1\n\n[ profile other ]\naws_access_key_id=AK=ID\n; no\nregion =x\n";
        let read = |section| parse_section(text, section).map(|found| format!("{found:?}"));
        assert_eq!(read("default").as_deref(), Some(r#"{"region": "eu-west-1"}"#));
        assert_eq!(read("profile other").as_deref(), Some(r#"{"aws_access_key_id": "AK=ID", "region": "x"}"#));
        assert_eq!(read("third"), None);
    }
}
