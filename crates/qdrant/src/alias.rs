//! Aliases and the collections behind them, as they are moved and deleted.

use qdrant_client::qdrant::alias_operations::Action;
use qdrant_client::qdrant::{AliasOperations, ChangeAliases, CreateAlias, DeleteAlias, DeleteCollection};

use crate::{Error, Server};

/// Where an alias leads from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasMove {
    /// The alias.
    pub alias: String,
    /// Whether it leads elsewhere now.
    pub is_there: bool,
    /// The collection.
    pub to: String,
}

impl Server {
    /// Moves all these aliases in one moment.
    ///
    /// # Errors
    ///
    /// When a collection is not there, or one of the names is that of a collection. Then none is moved.
    pub async fn move_aliases(&self, moves: &[AliasMove]) -> Result<(), Error> {
        let old = moves.iter().filter(|it| it.is_there);
        let old = old.map(|it| Action::DeleteAlias(DeleteAlias { alias_name: it.alias.clone() }));
        let new = moves.iter().map(|it| {
            Action::CreateAlias(CreateAlias { collection_name: it.to.clone(), alias_name: it.alias.clone() })
        });
        let actions = old.chain(new).map(|action| AliasOperations { action: Some(action) }).collect();
        let request = ChangeAliases { actions, timeout: None };
        self.work("move the aliases", self.collections_api().update_aliases(request)).await?;
        Ok(())
    }

    /// Deletes an alias; the collection stays.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked, or refuses.
    pub async fn delete_alias(&self, alias: &str) -> Result<(), Error> {
        let action = Action::DeleteAlias(DeleteAlias { alias_name: alias.into() });
        let request = ChangeAliases { actions: vec![AliasOperations { action: Some(action) }], timeout: None };
        self.work(&format!("delete the alias {alias}"), self.collections_api().update_aliases(request)).await?;
        Ok(())
    }

    /// Deletes a collection with its points and its aliases; `false` when there is none.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked, or refuses.
    pub async fn delete_collection(&self, name: &str) -> Result<bool, Error> {
        let doing = format!("delete the collection {name}");
        let request = DeleteCollection { collection_name: name.into(), timeout: None };
        Ok(self.work(&doing, self.collections_api().delete(request)).await?.result)
    }
}
