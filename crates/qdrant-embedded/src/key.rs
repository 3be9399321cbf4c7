//! The API keys, for both interfaces.

use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Lets only those requests through that carry one of the keys, if there are any.
#[derive(Clone)]
pub(crate) struct ApiKey(Vec<String>);

impl ApiKey {
    pub(crate) fn new(keys: Vec<String>) -> Self {
        Self(keys)
    }

    /// Looks at a request by its headers; refuses in Qdrant's words.
    pub(crate) fn check<'a>(&self, header: impl Fn(&'static str) -> Option<&'a str>) -> Result<(), &'static str> {
        if self.0.is_empty() {
            return Ok(());
        }
        let given =
            header("api-key").or_else(|| header("authorization").and_then(|value| value.strip_prefix("Bearer ")));
        match given {
            None => Err("Must provide an API key or an Authorization bearer token"),
            Some(given) if self.0.iter().any(|key| equal(given.as_bytes(), key.as_bytes())) => Ok(()),
            Some(_) => Err("Invalid API key or JWT"),
        }
    }
}

impl Interceptor for ApiKey {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        self.check(|name| request.metadata().get(name).and_then(|value| value.to_str().ok()))
            .map_err(Status::unauthenticated)?;
        Ok(request)
    }
}

/// Compares in a time that does not depend on where the two differ.
fn equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0
}
