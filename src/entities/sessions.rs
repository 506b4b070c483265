//! Who is signed in. An entity and no resource, as [`super::credentials`]: `auth` alone reads and writes it.

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// What its access tokens name it by.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// The digest of what all of its refresh tokens begin with; none for one that cannot be refreshed.
    #[sea_orm(column_type = "Text", nullable)]
    pub family_hash: Option<String>,
    /// The digest of the refresh token that is good now.
    #[sea_orm(column_type = "Text", nullable)]
    pub token_hash: Option<String>,
    pub created_at: DateTimeUtc,
    /// Until when that refresh token is good.
    pub expires_at: Option<DateTimeUtc>,
    /// Until when any token of it can be good.
    pub kept_until: DateTimeUtc,
}

/// None that anything could be reached through.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Without the digests: rows may end up in a log.
impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("id", &self.id).field("user_id", &self.user_id).finish_non_exhaustive()
    }
}
