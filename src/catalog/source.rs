//! Entities as the source of the catalogue: what the SeaORM metadata says is read, nothing is retyped.
//!
//! In: entity types with a [`Declaration`]. Out: a [`Catalog`]; a declaration that cannot be served is an error at
//! start, in words.

use super::{
    Cardinality, Catalog, Column, Computed, Fill, Hooks, Names, Relation, Resource, Rule, naming,
    policy::{Condition, Policy},
    scalar::{Decimal, Enumeration, Input, Scalar, Value},
};
use sea_orm::{
    ActiveModelBehavior, ColumnTrait, ColumnType, DbBackend, EntityTrait, IdenStatic, Identity, IntoActiveModel,
    Iterable, PrimaryKeyToColumn, PrimaryKeyTrait, RelationTrait, RelationType, Schema,
    sea_query::{Expr, Keyword},
};
use std::sync::Arc;

/// What an entity file says of its table beside the model itself.
pub trait Declaration:
    EntityTrait<ActiveModel: ActiveModelBehavior + Send, Model: IntoActiveModel<Self::ActiveModel>>
{
    /// Who may do what with which rows. There is no default: a resource without a policy does not compile.
    fn policy() -> Policy;

    /// The order of its lists, the rules of its fields, its names.
    fn options() -> Options {
        Options::default()
    }
}

/// What can be said of a resource and has a default.
#[derive(Debug, Clone, Default)]
pub struct Options {
    order: Vec<(String, bool)>,
    singular: Option<String>,
    description: Option<String>,
    rules: Vec<(String, Rule)>,
    unique: Vec<Vec<String>>,
    touched: Vec<String>,
    computed: Vec<(String, Computed)>,
    searchable: Vec<String>,
    principals: bool,
    hooks: bool,
}

/// Ascending by `column`.
pub fn asc(column: impl IdenStatic) -> (String, bool) {
    (column.as_str().to_owned(), false)
}

/// Descending by `column`.
pub fn desc(column: impl IdenStatic) -> (String, bool) {
    (column.as_str().to_owned(), true)
}

impl Options {
    /// The order of a list whose request names none; several calls add columns. Without any: by key.
    #[must_use]
    pub fn order_by(mut self, order: (String, bool)) -> Self {
        self.order.push(order);
        self
    }

    /// The singular of the table's name, where no rule of English finds it.
    #[must_use]
    pub fn singular(self, singular: &str) -> Self {
        Self { singular: Some(singular.to_owned()), ..self }
    }

    /// What the resource is, as a sentence.
    #[must_use]
    pub fn description(self, description: &str) -> Self {
        Self { description: Some(description.to_owned()), ..self }
    }

    /// Its rows are the callers: `me` is the one whose key is the token's subject.
    #[must_use]
    pub fn principals(self) -> Self {
        Self { principals: true, ..self }
    }

    /// The entity's `ActiveModelBehavior` has hooks: its rows are written through ActiveModels, one by one, in the
    /// transaction of the request. A hook refuses a write by `DbErr::Custom`, whose text the caller reads.
    ///
    /// A transaction that the database ends for the sake of another one, or whose connection dies before its commit, is
    /// begun again, and the hooks of its rows run again: what they do belongs into the connection that they are given,
    /// which undoes it, and errors of that connection are passed on as they are.
    #[must_use]
    pub fn with_hooks(self) -> Self {
        Self { hooks: true, ..self }
    }

    /// A rule for what is written to `column`.
    #[must_use]
    pub fn rule(mut self, column: impl IdenStatic, rule: Rule) -> Self {
        self.rules.push((column.as_str().to_owned(), rule));
        self
    }

    /// A column behind those of the table, whose values an expression makes.
    #[must_use]
    pub fn computed(mut self, name: &str, computed: Computed) -> Self {
        self.computed.push((name.to_owned(), computed));
        self
    }

    /// Text columns whose words are in an index, which a migration made by `migration::search`: `search` asks it.
    #[must_use]
    pub fn searchable(mut self, columns: impl IntoIterator<Item = impl IdenStatic>) -> Self {
        self.searchable.extend(columns.into_iter().map(|column| column.as_str().to_owned()));
        self
    }

    /// Columns whose values no two rows share, taken together. What the model says of itself (`unique`, `unique_key`)
    /// need not be said again, nor the key. The database must hold to it by an index over these columns alone.
    #[must_use]
    pub fn unique<C: IdenStatic>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.unique.push(columns.into_iter().map(|column| column.as_str().to_owned()).collect());
        self
    }

    /// A timestamp that every update of a row writes.
    #[must_use]
    pub fn touch(mut self, column: impl IdenStatic) -> Self {
        self.touched.push(column.as_str().to_owned());
        self
    }
}

/// Collects entities into a catalogue.
#[derive(Debug, Default)]
pub struct Builder {
    drafts: Vec<Draft>,
}

/// A resource whose relations still name tables, since their resources may come later.
#[derive(Debug)]
struct Draft {
    resource: Result<Resource, String>,
    relations: Vec<DraftRelation>,
}

#[derive(Debug)]
struct DraftRelation {
    name: String,
    cardinality: Cardinality,
    table: String,
    local: String,
    foreign: String,
}

impl Builder {
    /// With the resource that `E` declares.
    #[must_use]
    pub fn add<E: Declaration>(mut self) -> Self {
        self.drafts.push(Draft { resource: resource::<E>(), relations: relations::<E>() });
        self
    }

    /// The catalogue of what was added.
    ///
    /// # Errors
    /// A declaration that cannot be served: the text names the table and says what is wrong with it.
    pub fn build(self) -> Result<Catalog, String> {
        let mut resources = Vec::with_capacity(self.drafts.len());
        let mut pending = Vec::with_capacity(self.drafts.len());
        for draft in self.drafts {
            resources.push(draft.resource?);
            pending.push(draft.relations);
        }
        for (index, relations) in pending.into_iter().enumerate() {
            for draft in relations {
                // A relation to a table that is not served, or over a hidden column, does not exist for callers.
                let Some(target) = resources.iter().position(|resource: &Resource| resource.name == draft.table) else {
                    continue;
                };
                let (Some(local), Some(foreign)) =
                    (resources[index].column(&draft.local), resources[target].column(&draft.foreign))
                else {
                    continue;
                };
                let cardinality = draft.cardinality;
                // SeaORM names a relation after its table unless told otherwise; one row of it has a singular.
                let name = match cardinality {
                    Cardinality::One if draft.name == draft.table => resources[target].names.singular.clone(),
                    _ => draft.name,
                };
                let field = naming::field(&name);
                resources[index].relations.push(Relation { name, field, cardinality, target, local, foreign });
            }
        }
        for (index, resource) in resources.iter().enumerate() {
            let policy = &resource.policy;
            let grants = [&policy.create, &policy.update, &policy.delete];
            let grants = grants.into_iter().flat_map(|grant| [&grant.condition].into_iter().chain(&grant.check));
            let masks = policy.masks.iter().map(|mask| &mask.read);
            let columns = policy.columns.iter().map(|rule| &rule.write);
            for condition in grants.chain([&policy.read]).chain(masks).chain(columns) {
                check(&resources, resource, condition)?;
            }
            if resources[..index].iter().any(|other| other.names.type_name == resource.names.type_name) {
                return Err(format!("two tables are named {} in GraphQL: say .singular(…)", resource.names.type_name));
            }
            if naming::RESERVED_PATHS.contains(&resource.name.as_str()) {
                return Err(format!("the path /{} is taken: a table of that name cannot be served", resource.name));
            }
            if naming::RESERVED_TYPES.contains(&resource.names.type_name.as_str()) {
                return Err(format!("the type {} is taken: say .singular(…)", resource.names.type_name));
            }
            for relation in &resource.relations {
                if resource.columns.iter().any(|column| column.field == relation.field) {
                    return Err(format!("{}: {} is both a column and a relation", resource.name, relation.field));
                }
            }
        }
        Ok(Catalog { resources })
    }
}

/// Marks the columns that not everybody reads, and those that are computed of them.
fn mask(table: &str, columns: &mut [Column], key: &str, policy: &Policy) -> Result<(), String> {
    for mask in &policy.masks {
        if mask.column == key {
            return Err(format!("{table}.{key}: who may read a row may read its key"));
        }
        let masked = columns.iter_mut().find(|column| column.name == mask.column);
        masked.ok_or_else(|| format!("{table}: \"{}\" is no visible column of it", mask.column))?.masked = true;
    }
    for index in 0..columns.len() {
        let Some(computed) = &columns[index].computed else { continue };
        let named: Vec<_> = computed.columns().collect();
        let masked = columns.iter().any(|column| column.masked && named.contains(&column.name.as_str()));
        columns[index].masked |= masked;
    }
    Ok(())
}

fn resource<E: Declaration>() -> Result<Resource, String> {
    let entity = E::default();
    let table = entity.table_name().to_owned();
    let (policy, options) = (E::policy(), E::options());
    let mut keys = E::PrimaryKey::iter();
    let key = match (keys.next(), keys.next()) {
        (Some(key), None) => key.into_column(),
        _ => return Err(format!("{table}: a resource needs a key of exactly one column")),
    };
    let mut columns = Vec::new();
    for column in E::Column::iter() {
        if !policy.hidden.iter().any(|hidden| hidden == column.as_str()) {
            let is_key = column.as_str() == key.as_str();
            let counted = is_key && <E::PrimaryKey as PrimaryKeyTrait>::auto_increment();
            columns.push(describe(&table, &column, is_key, counted, &options)?);
        }
    }
    for (name, computed) in &options.computed {
        for named in computed.columns() {
            // Only what stands before it, so that no expression can be made of itself.
            if !columns.iter().any(|column: &Column| column.name == named) {
                return Err(format!("{table}.{name}: \"{named}\" is no column before it"));
            }
        }
        columns.push(Column {
            name: name.clone(),
            field: naming::field(name),
            scalar: computed.scalar.clone(),
            nullable: computed.nullable,
            default: None,
            touch: None,
            rules: Vec::new(),
            computed: Some(computed.clone()),
            masked: false,
            searchable: false,
        });
    }
    mask(&table, &mut columns, key.as_str(), &policy)?;
    let find = |name: &str| {
        columns
            .iter()
            .position(|column| column.name == name)
            .ok_or_else(|| format!("{table}: \"{name}\" is no visible column of it"))
    };
    for name in policy.columns.iter().map(|rule| &rule.column).chain(options.rules.iter().map(|(name, _)| name)) {
        find(name)?;
    }
    for name in &options.searchable {
        if columns[find(name)?].scalar != Scalar::Text {
            return Err(format!("{table}.{name}: only a text has words to search for"));
        }
    }
    let key = find(key.as_str())?;
    let default_order =
        options.order.iter().map(|(name, descending)| Ok((find(name)?, *descending))).collect::<Result<_, String>>()?;
    let mut unique = vec![vec![key]];
    let alone =
        E::Column::iter().filter(|column| column.def().is_unique()).map(|column| vec![column.as_str().to_owned()]);
    // One over a hidden column is nothing that a caller could name.
    let mut found: Vec<Vec<usize>> = alone
        .chain(together::<E>())
        .filter_map(|names| names.iter().map(|name| find(name).ok()).collect::<Option<Vec<_>>>())
        .collect();
    for names in &options.unique {
        found.push(names.iter().map(|name| find(name)).collect::<Result<_, _>>()?);
    }
    for mut columns in found {
        columns.sort_unstable();
        columns.dedup();
        if !columns.is_empty() && !unique.contains(&columns) {
            unique.push(columns);
        }
    }
    let names = Names::of(&table, options.singular.as_deref());
    let description = options.description.clone().unwrap_or_else(|| format!("A row of the table {table}."));
    Ok(Resource {
        names,
        columns,
        key,
        unique,
        relations: Vec::new(),
        policy,
        default_order,
        hooks: options.hooks.then(Hooks::of::<E>),
        principals: options.principals,
        description,
        name: table,
    })
}

/// A policy names what there is: a misspelt one must not allow or deny by accident.
fn check(resources: &[Resource], resource: &Resource, condition: &Condition) -> Result<(), String> {
    let missing = |name: &str| format!("the policy of {} names \"{name}\", which it does not have", resource.name);
    match condition {
        Condition::Always | Condition::Never | Condition::Authenticated | Condition::Role(_) => Ok(()),
        Condition::Compare { column, .. } | Condition::IsNull { column } => {
            resource.column(column).map(|_| ()).ok_or_else(|| missing(column))
        }
        Condition::Related { relation, condition } => {
            let relation = resource.relation(relation).ok_or_else(|| missing(relation))?;
            check(resources, &resources[relation.target], condition)
        }
        Condition::And(all) | Condition::Or(all) => all.iter().try_for_each(|one| check(resources, resource, one)),
        Condition::Not(one) => check(resources, resource, one),
    }
}

/// The unique keys over several columns that the model names.
fn together<E: EntityTrait>() -> Vec<Vec<String>> {
    let indexes = Schema::new(DbBackend::Sqlite).create_index_from_entity(E::default());
    let unique = indexes.iter().filter(|index| index.is_unique_key());
    unique.map(|index| index.get_index_spec().get_column_names()).collect()
}

fn describe<C: ColumnTrait>(
    table: &str,
    column: &C,
    is_key: bool,
    counted: bool,
    options: &Options,
) -> Result<Column, String> {
    let name = column.as_str().to_owned();
    let def = column.def();
    let scalar = scalar(def.get_column_type())
        .ok_or_else(|| format!("{table}.{name}: columns of type {:?} cannot be served", def.get_column_type()))?;
    let default = match def.get_column_default() {
        _ if counted => Some(Fill::Database),
        Some(Expr::Keyword(Keyword::CurrentTimestamp)) => Some(Fill::Now),
        Some(Expr::Keyword(Keyword::CurrentDate)) => Some(Fill::Today),
        Some(Expr::Value(value)) => Some(Fill::Value(
            constant(&scalar, value)
                .ok_or_else(|| format!("{table}.{name}: {value:?} is no value of type {}", scalar.graphql()))?,
        )),
        Some(_) => Some(Fill::Database),
        None if is_key && scalar == Scalar::Uuid => Some(Fill::UuidV7),
        None => None,
    };
    Ok(Column {
        field: naming::field(&name),
        nullable: def.is_null(),
        default,
        searchable: options.searchable.contains(&name),
        touch: options.touched.contains(&name).then_some(Fill::Now),
        rules: options.rules.iter().filter(|(of, _)| *of == name).map(|(_, rule)| rule.clone()).collect(),
        computed: None,
        masked: false,
        scalar,
        name,
    })
}

fn scalar(column_type: &ColumnType) -> Option<Scalar> {
    Some(match column_type {
        ColumnType::TinyInteger | ColumnType::SmallInteger | ColumnType::Integer => Scalar::Integer,
        ColumnType::TinyUnsigned | ColumnType::SmallUnsigned => Scalar::Integer,
        ColumnType::Unsigned | ColumnType::BigInteger => Scalar::BigInt,
        ColumnType::Float | ColumnType::Double => Scalar::Float,
        ColumnType::Char(_) | ColumnType::String(_) | ColumnType::Text => Scalar::Text,
        ColumnType::Boolean => Scalar::Boolean,
        ColumnType::Uuid => Scalar::Uuid,
        ColumnType::Date => Scalar::Date,
        ColumnType::DateTime | ColumnType::Timestamp | ColumnType::TimestampWithTimeZone => Scalar::Timestamp,
        ColumnType::Decimal(Some((precision, scale))) | ColumnType::Money(Some((precision, scale)))
            if *precision <= 18 && scale <= precision =>
        {
            Scalar::Decimal(Decimal::new(*precision, *scale))
        }
        ColumnType::Json | ColumnType::JsonBinary => Scalar::Json,
        ColumnType::Enum { name, variants } => {
            let name = name.to_string();
            let graphql = naming::type_name(&name);
            Scalar::Enum(Arc::new(Enumeration::new(graphql, name, variants.iter().map(ToString::to_string))))
        }
        _ => return None,
    })
}

/// A default out of the entity's metadata, in the column's type.
fn constant(scalar: &Scalar, value: &sea_orm::Value) -> Option<Value> {
    use sea_orm::Value as Sea;
    let text = match value {
        Sea::String(Some(text)) => return scalar.parse(&Input::Text(text)).ok(),
        Sea::Bool(Some(value)) => return scalar.parse(&Input::Bool(*value)).ok(),
        Sea::Int(Some(value)) => value.to_string(),
        Sea::BigInt(Some(value)) => value.to_string(),
        Sea::Double(Some(value)) => value.to_string(),
        _ => return None,
    };
    scalar.parse(&Input::Number(&text)).ok()
}

fn relations<E: Declaration>() -> Vec<DraftRelation> {
    E::Relation::iter()
        .map(|relation| {
            let def = relation.def();
            DraftRelation {
                name: heck::ToSnakeCase::to_snake_case(relation.name().as_str()),
                cardinality: match def.rel_type {
                    RelationType::HasOne => Cardinality::One,
                    RelationType::HasMany => Cardinality::Many,
                },
                table: def.to_tbl.sea_orm_table().to_string(),
                local: only_column(&def.from_col),
                foreign: only_column(&def.to_col),
            }
        })
        .collect()
}

/// The column of a relation's end; a relation over several columns names one that is not there, and is not served.
fn only_column(identity: &Identity) -> String {
    match identity {
        Identity::Unary(column) => column.to_string(),
        _ => String::new(),
    }
}
