//! Telling a web address of something that happened.

use std::time::Duration;

use reqwest::{Client, Url};

use crate::store::use_ring;

/// How long an address has to answer.
const LIMIT: Duration = Duration::from_secs(10);

/// Posts a JSON document. The error is a sentence that shows of the address only the host: the rest of it is as good as
/// a password.
///
/// # Errors
///
/// When the address cannot be reached, or answers with another status than success.
pub async fn post_json(url: &str, body: Vec<u8>) -> Result<(), String> {
    let url = Url::parse(url).map_err(|error| format!("the webhook's URL cannot be read: {error}"))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    use_ring();
    let send = async {
        let client = Client::builder().timeout(LIMIT).build()?;
        client.post(url).header("content-type", "application/json").body(body).send().await?.error_for_status()
    };
    send.await
        .map(drop)
        .map_err(|error: reqwest::Error| format!("the webhook at {host} was not told: {}", chain(error)))
}

fn chain(error: reqwest::Error) -> String {
    // It names the address.
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
