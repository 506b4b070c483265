//! Who the subjects of outside identity providers are here. An entity and no resource: it is not in the list of
//! [`super::resources`], so that no protocol, filter or relation can reach it; `auth` alone reads and writes it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "identities")]
pub struct Model {
    /// The provider, as its tokens name it.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub issuer: String,
    /// The subject, as the provider calls it.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub subject: String,
    /// Who it is here.
    #[sea_orm(unique)]
    pub user_id: Uuid,
    /// When it came for the first time.
    pub created_at: DateTimeUtc,
    /// Since when its tokens are not taken; none for one whose are.
    pub disabled_at: Option<DateTimeUtc>,
}

/// None that anything could be reached through.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
