//! The grafted resource: one migration, one entity. Everything else must follow by itself.
//!
//! Its columns have every type that the shipped resources do without, and its name is its own plural.

use migration::Migrator;
use rootstock::{
    catalog::{
        Declaration, Options, Rule, asc,
        policy::{Claim, Condition, Operand, Policy, authenticated, claim, equals, owner, role},
        scalar::{Money, Value},
    },
    entities::users,
};
use sea_orm::{RelationType, entity::prelude::*};
use sea_orm_migration::{
    MigrationName, MigrationTrait, MigratorTrait,
    prelude::{SchemaManager, async_trait},
};

#[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "conservation_status")]
pub(crate) enum Status {
    #[sea_orm(string_value = "least concern")]
    LeastConcern,
    #[sea_orm(string_value = "endangered")]
    Endangered,
    #[sea_orm(string_value = "extinct")]
    Extinct,
}

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "species")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) owner_id: Uuid,
    pub(crate) parent_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub(crate) name: String,
    #[sea_orm(default_value = 0)]
    pub(crate) population: i64,
    pub(crate) population_before: Option<i64>,
    #[sea_orm(default_value = 1.5)]
    pub(crate) height: f64,
    pub(crate) height_before: Option<f64>,
    #[sea_orm(default_value = false)]
    pub(crate) protected: bool,
    pub(crate) confirmed: Option<bool>,
    #[sea_orm(column_type = "Json")]
    pub(crate) traits: Json,
    #[sea_orm(column_type = "Json", nullable)]
    pub(crate) notes: Option<Json>,
    #[sea_orm(default_value = "least concern")]
    pub(crate) status: Status,
    pub(crate) status_before: Option<Status>,
    #[sea_orm(column_type = "Decimal(Some((18, 6)))", nullable)]
    pub(crate) density: Option<Money>,
    pub(crate) seen_on: Option<Date>,
    pub(crate) seen_at: Option<DateTimeUtc>,
    pub(crate) reference: Option<Uuid>,
    pub(crate) rank: Option<i32>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) secret: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter)]
pub(crate) enum Relation {
    Owner,
    Parent,
    Children,
}

impl RelationTrait for Relation {
    fn def(&self) -> RelationDef {
        let parent = || Entity::belongs_to(Entity).from(Column::ParentId).to(Column::Id).into();
        match self {
            Self::Owner => Entity::belongs_to(users::Entity).from(Column::OwnerId).to(users::Column::Id).into(),
            Self::Parent => parent(),
            Self::Children => RelationDef { rel_type: RelationType::HasMany, ..RelationDef::rev(parent()) },
        }
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl Declaration for Entity {
    fn policy() -> Policy {
        let shown = equals(Column::Protected, Operand::Value(Value::Bool(true)));
        Policy::deny()
            .read(owner(Column::OwnerId).or(role("admin")).or(shown))
            .create(authenticated().set(Column::OwnerId, claim(Claim::Sub)))
            .update(owner(Column::OwnerId))
            .delete(owner(Column::OwnerId))
            .write_column(Column::OwnerId, Condition::Never)
            .write_column(Column::Rank, role("editor"))
            .hide(Column::Secret)
    }

    fn options() -> Options {
        Options::default().order_by(asc(Column::Name)).rule(Column::Name, Rule::Length(1, 50))
    }
}

/// The shipped history with one step more.
#[derive(Debug)]
pub(crate) struct Grafted;

impl MigratorTrait for Grafted {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        Migrator::migrations().into_iter().chain([Box::new(CreateSpecies) as Box<dyn MigrationTrait>]).collect()
    }
}

struct CreateSpecies;

impl MigrationName for CreateSpecies {
    fn name(&self) -> &str {
        "m20261231_000001_create_species"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateSpecies {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let texts = "('least concern', 'endangered', 'extinct')";
        let (real, json, status) = match manager.get_database_backend() {
            sea_orm::DbBackend::Sqlite => ("real", "text", format!("text check (status in {texts})")),
            _ => {
                let kind = format!("create type conservation_status as enum {texts}");
                manager.get_connection().execute_unprepared(&kind).await?;
                ("double precision", "json", "conservation_status".to_owned())
            }
        };
        let status_before = status.replace("(status in", "(status_before in");
        let sql = format!(
            "create table species (
                id uuid not null primary key,
                owner_id uuid not null references users (id) on delete cascade,
                parent_id uuid references species (id) on delete cascade,
                name text not null,
                population bigint not null,
                population_before bigint,
                height {real} not null,
                height_before {real},
                protected boolean not null,
                confirmed boolean,
                traits {json} not null,
                notes {json},
                status {status} not null,
                status_before {status_before},
                density bigint,
                seen_on date,
                seen_at timestamptz,
                reference uuid,
                rank integer,
                secret text default 'a secret of the row'
            )"
        );
        manager.get_connection().execute_unprepared(&sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("drop table species").await?;
        if manager.get_database_backend() == sea_orm::DbBackend::Postgres {
            manager.get_connection().execute_unprepared("drop type conservation_status").await?;
        }
        Ok(())
    }
}
