//! What users sign in with. An entity and no resource: it is not in the list of [`super::resources`], so that no
//! protocol, filter or relation can reach it; `auth` alone reads and writes it.

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "credentials")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// An Argon2id hash as a PHC string.
    #[sea_orm(column_type = "Text")]
    pub password_hash: String,
    /// Since when the user cannot sign in; none for one who can.
    pub disabled_at: Option<DateTimeUtc>,
    /// Since when the user's tokens are good that name no session; none for all of them.
    pub tokens_from: Option<DateTimeUtc>,
}

/// None that anything could be reached through.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Without the hash: rows may end up in a log.
impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("user_id", &self.user_id)
            .field("disabled_at", &self.disabled_at)
            .finish_non_exhaustive()
    }
}
