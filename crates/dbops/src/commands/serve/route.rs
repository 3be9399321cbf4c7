//! What is asked for, and its answer. There are these paths and no files, so there is nothing to break out of.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use super::view::{Gathered, Shared};
use super::{metrics, page, schema};

pub(super) type Answer = Response<Full<Bytes>>;

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const SVG: &str = "image/svg+xml";
/// <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Everything comes from here, and nothing stands in the page itself.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The most bytes that a form may send.
const FORM_BYTES: usize = 4096;

/// Answers a request.
pub(super) async fn answer(shared: &Shared, request: Request<Incoming>) -> Answer {
    if !shared.access.answers_to(request.headers()) {
        let why = "this name is not answered: ask for localhost or 127.0.0.1, or start `dbops serve` with a token\n";
        return text(StatusCode::MISDIRECTED_REQUEST, why);
    }
    let path = request.uri().path().to_owned();
    if request.method() == Method::POST && path == "/login" {
        return log_in(shared, request).await;
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "this only reads: GET or HEAD\n");
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    let is_admitted = shared.access.admits(request.headers());
    match path.as_str() {
        "/healthz" => text(StatusCode::OK, "ok\n"),
        "/readyz" => ready(shared, is_admitted),
        "/style.css" => found("text/css; charset=utf-8", page::STYLE),
        "/script.js" => found("text/javascript; charset=utf-8", page::SCRIPT),
        "/icon.svg" => found(SVG, page::ICON),
        "/" if request.uri().query().is_some_and(|query| query.starts_with("token=")) => {
            admit(shared, request.uri().query().unwrap_or_default())
        }
        _ if !is_admitted => stranger(&path),
        "/" => found(HTML, page::page(shared)),
        "/metrics" => with_view(shared, |gathered| found(METRICS, metrics::metrics(gathered))),
        "/status.json" => with_view(shared, |gathered| match serde_json::to_string_pretty(&gathered.status) {
            Ok(document) => found(JSON, document),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
        }),
        _ => match path.strip_prefix("/schema/") {
            Some(name) => picture(shared, name).await,
            None => text(StatusCode::NOT_FOUND, "there is no such page\n"),
        },
    }
}

fn ready(shared: &Shared, is_admitted: bool) -> Answer {
    match shared.not_ready() {
        None => text(StatusCode::OK, "ready\n"),
        Some(reason) if is_admitted => text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")),
        Some(_) => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}

fn with_view(shared: &Shared, answer: impl FnOnce(&Gathered) -> Answer) -> Answer {
    // What is too old would be taken for what is.
    match (shared.not_ready(), &shared.view().gathered) {
        (None, Some(gathered)) => answer(gathered),
        (reason, _) => text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", reason.unwrap_or_default())),
    }
}

/// Somebody without the token: people get a form on the page, everybody else is told what is missing.
fn stranger(path: &str) -> Answer {
    if path == "/" {
        return answered(StatusCode::UNAUTHORIZED, HTML, page::login(false));
    }
    let mut answer = text(StatusCode::UNAUTHORIZED, "it needs the token: `Authorization: Bearer TOKEN`\n");
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"dbops\""));
    answer
}

async fn log_in(shared: &Shared, request: Request<Incoming>) -> Answer {
    match Limited::new(request.into_body(), FORM_BYTES).collect().await {
        Ok(form) => admit(shared, &String::from_utf8_lossy(&form.to_bytes())),
        Err(_) => text(StatusCode::PAYLOAD_TOO_LARGE, "a token is shorter\n"),
    }
}

/// Takes the token from a form and leads to the page without it, so that it stays in no history.
fn admit(shared: &Shared, form: &str) -> Answer {
    let token = form.split('&').find_map(|pair| pair.strip_prefix("token=")).unwrap_or_default().replace('+', " ");
    let token = percent_decode_str(&token).decode_utf8_lossy();
    let is_right = !shared.access.needs_token() || shared.access.is_token(token.trim());
    if !is_right {
        return answered(StatusCode::FORBIDDEN, HTML, page::login(true));
    }
    let mut answer = text(StatusCode::SEE_OTHER, "");
    answer.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
    if let Some(cookie) = shared.access.set_cookie().and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    answer
}

/// `NAME` is a page, `NAME.svg` the drawing in it.
async fn picture(shared: &Shared, path: &str) -> Answer {
    let decode = |path: &str| percent_decode_str(path).decode_utf8_lossy().into_owned();
    let view = shared.view();
    let databases = view.gathered.iter().flat_map(|gathered| &gathered.databases);
    let whole = decode(path);
    let drawing = path.strip_suffix(".svg").map(decode);
    let wanted = |name: &String| *name == whole || drawing.as_ref() == Some(name);
    let Some(database) = databases.into_iter().find(|database| wanted(&database.name)) else {
        return text(StatusCode::NOT_FOUND, "there is no such database\n");
    };
    let picture = match schema::drawn(shared, &database.name, &database.url).await {
        Ok(picture) => picture,
        Err(reason) => return text(StatusCode::BAD_GATEWAY, format!("the schema cannot be read: {reason}\n")),
    };
    if database.name == whole {
        let policy = format!("default-src 'none'; style-src 'unsafe-inline'; script-src '{}'", hash(&picture.html));
        with_policy(found(HTML, picture.html.as_bytes().to_vec()), &policy)
    } else {
        // Seen as an image no script of it runs; opened by itself none may.
        with_policy(found(SVG, picture.svg.as_bytes().to_vec()), "default-src 'none'; style-src 'unsafe-inline'")
    }
}

/// The hash of the page's only script, by which it may run. All that comes from the database is escaped, so that no
/// second one can stand there.
fn hash(html: &str) -> String {
    let script = html.split_once("<script>").and_then(|(_, rest)| rest.split_once("</script>"));
    let script = script.map(|(script, _)| script).unwrap_or_default();
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(script.as_bytes())))
}

fn found(kind: &'static str, body: impl Into<Bytes>) -> Answer {
    answered(StatusCode::OK, kind, body)
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    answered(status, TEXT, body)
}

fn answered(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let fixed = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

fn with_policy(mut answer: Answer, policy: &str) -> Answer {
    if let Ok(policy) = HeaderValue::from_str(policy) {
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    answer
}
