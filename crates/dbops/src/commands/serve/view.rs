//! What all answers are made from.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use dbops_health::Finding;
use dbops_postgres::DatabaseUrl;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::access::Access;
use super::schema::Picture;
use crate::commands::migrate::HistoryRevision;
use crate::commands::status::Status;

/// What connections and the watch share.
pub(super) struct Shared {
    pub(super) access: Access,
    pub(super) interval: Duration,
    /// How long a target may take.
    pub(super) timeout: Duration,
    view: RefCell<Rc<View>>,
    /// The pictures of schemas that were drawn lately, by target.
    pub(super) pictures: Mutex<BTreeMap<String, Picture>>,
}

/// What was found out, and what stands in the way of finding out more.
#[derive(Default)]
pub(super) struct View {
    /// The last time that the targets were asked; none before the first.
    pub(super) gathered: Option<Rc<Gathered>>,
    /// Why they cannot be asked any more: the configuration.
    pub(super) error: Option<String>,
}

/// What was found out in one round.
pub(super) struct Gathered {
    pub(super) status: Status,
    /// All of them, good and bad.
    pub(super) findings: Vec<Finding>,
    /// The databases, in the order of the configuration.
    pub(super) databases: Vec<Database>,
    /// The oldest first.
    pub(super) sets: Vec<SetView>,
    /// How long it took.
    pub(super) took: Duration,
}

pub(super) struct Database {
    pub(super) name: String,
    pub(super) url: DatabaseUrl,
    /// The newest first, or why they are not known.
    pub(super) revisions: Result<Vec<HistoryRevision>, String>,
}

/// A backup set, as far as it is drawn.
#[derive(Clone)]
pub(super) struct SetView {
    pub(super) id: String,
    pub(super) created: Timestamp,
    pub(super) bytes: u64,
    pub(super) state: SetState,
    /// Of each target: its name, and how large it was then.
    pub(super) targets: Vec<(String, Option<u64>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetState {
    Verified,
    NotVerified,
    /// It was found damaged, or files of it are missing.
    Damaged,
}

impl Shared {
    pub(super) fn new(access: Access, interval: Duration, timeout: Duration) -> Self {
        Self { access, interval, timeout, view: RefCell::default(), pictures: Mutex::default() }
    }

    pub(super) fn view(&self) -> Rc<View> {
        Rc::clone(&self.view.borrow())
    }

    pub(super) fn show(&self, view: View) {
        self.view.replace(Rc::new(view));
    }

    /// Why what is shown is not what is; nothing when it is.
    pub(super) fn not_ready(&self) -> Option<String> {
        let view = self.view();
        if let Some(error) = &view.error {
            return Some(error.clone());
        }
        let Some(gathered) = &view.gathered else { return Some("the targets have not been asked yet".into()) };
        // A round may take a target's time and the repository's.
        let oldest = 3 * self.interval + 4 * self.timeout;
        let age = Timestamp::now().duration_since(gathered.status.checked).unsigned_abs();
        (age > oldest).then(|| format!("the targets were asked {} s ago", age.as_secs()))
    }
}

impl SetState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::NotVerified => "not verified",
            Self::Damaged => "damaged",
        }
    }
}
