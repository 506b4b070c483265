//! Trees: everybody reads them, editors and admins write them.

use crate::catalog::{
    Declaration, Options, Rule,
    policy::{Policy, anyone, role},
};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "trees")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub species: String,
}

impl ActiveModelBehavior for ActiveModel {}

impl Declaration for Entity {
    fn policy() -> Policy {
        let gardeners = || role("editor").or(role("admin"));
        Policy::deny().read(anyone()).create(gardeners()).update(gardeners()).delete(gardeners())
    }

    fn options() -> Options {
        Options::default()
            .description("A tree, with its common and its botanical name.")
            .rule(Column::Name, Rule::Length(1, 200))
            .rule(Column::Species, Rule::Length(1, 200))
            .searchable([Column::Name, Column::Species])
    }
}
