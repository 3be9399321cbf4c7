//! The run of a script, in the place of pg_restore.

use dbops_postgres::{DatabaseUrl, connect, quote_identifier};

use super::{Owners, RestorePlan, State};
use crate::Error;
use crate::script::{self, RunOptions};

/// Runs the plan's script in the database at `url`.
pub(super) async fn run(plan: &RestorePlan, url: &DatabaseUrl) -> Result<(), Error> {
    let client = connect(url).await?;
    if let Owners::Everything(role) = &plan.options.owners {
        let statement = format!("SET ROLE {}", quote_identifier(role));
        client.batch_execute(&statement).await.map_err(Error::sql("restore", plan.destination.url.database()))?;
    }
    let options = RunOptions {
        // Under a temporary name nothing has to be taken back.
        in_transaction: plan.destination.state == State::Empty,
        with_owners: plan.options.owners == Owners::Keep,
        with_privileges: plan.options.with_privileges,
    };
    script::run(plan.archive.path(), &plan.archive.origin, &client, options).await
}
