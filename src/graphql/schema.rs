//! The GraphQL type system, generated from the catalogue: types, descriptions, SDL and introspection, but no execution.
//!
//! In: a [`Catalog`]. Out: a [`TypeSystem`], of which async-graphql's dynamic schema validates documents and answers
//! introspection, and whose [`InputTypes`] coerce values. The engine answers everything else, so the schema's own
//! resolvers are never asked.

mod aggregates;
mod filters;
mod mutations;

use super::types::{InputType, InputTypes};
use crate::catalog::{Cardinality, Catalog, Column, Resource, scalar::Scalar};
use async_graphql::{
    Name, SDLExportOptions, Value,
    dynamic::{
        Enum, EnumItem, Field, FieldFuture, InputObject, InputValue, Interface, InterfaceField, Object,
        Scalar as DynamicScalar, Schema, SchemaBuilder, SchemaError, TypeRef,
    },
    extensions::ExtensionFactory,
};
use async_graphql_parser::types::{BaseType, Type};

/// The members of `SortOrder`: direction, and where NULLs are if that is said.
pub(super) const SORT_ORDERS: [(&str, bool, Option<bool>, &str); 6] = [
    ("ASC", false, None, "Least first, NULLs last."),
    ("DESC", true, None, "Greatest first, NULLs first."),
    ("ASC_NULLS_FIRST", false, Some(true), "Least first, NULLs first."),
    ("ASC_NULLS_LAST", false, Some(false), "Least first, NULLs last."),
    ("DESC_NULLS_FIRST", true, Some(true), "Greatest first, NULLs first."),
    ("DESC_NULLS_LAST", true, Some(false), "Greatest first, NULLs last."),
];

/// The schema and what it knows of inputs.
#[derive(Debug)]
pub(super) struct TypeSystem {
    /// Validates documents, and answers questions about itself.
    pub schema: Schema,
    /// What arguments and variables can be.
    pub inputs: InputTypes,
}

impl TypeSystem {
    /// The type system of a catalogue.
    ///
    /// # Errors
    /// Two types of one name, or a name that GraphQL does not allow.
    pub(super) fn new(catalog: &Catalog, validation: impl ExtensionFactory) -> Result<Self, SchemaError> {
        let (schema, inputs) = Types::of(catalog);
        Ok(Self { schema: schema.extension(validation).finish()?, inputs })
    }
}

/// The schema definition language of a catalogue's schema, sorted, with a line feed at its end.
///
/// # Errors
/// Two types of one name, or a name that GraphQL does not allow.
pub fn sdl(catalog: &Catalog) -> Result<String, SchemaError> {
    let (schema, _) = Types::of(catalog);
    let options = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items();
    let sdl = schema.finish()?.sdl_with_options(options.include_specified_by());
    // A text file ends with one line feed.
    Ok(format!("{}\n", sdl.trim()))
}

/// A member of an input object, or an argument: name, type, description.
type Member = (String, String, String);

/// Collects types into the schema and the input types at once, so that neither knows what the other does not.
struct Types<'c> {
    catalog: &'c Catalog,
    schema: Option<SchemaBuilder>,
    inputs: InputTypes,
    registered: Vec<String>,
}

impl<'c> Types<'c> {
    fn of(catalog: &'c Catalog) -> (SchemaBuilder, InputTypes) {
        // What was meant is said by `errors`, within bounds.
        let schema = Schema::build("Query", Some("Mutation"), None).introspection_only().disable_suggestions();
        let mut types = Self { catalog, schema: Some(schema), inputs: InputTypes::new(), registered: Vec::new() };
        types.shared();
        let mut query = Object::new("Query").description("Everything that can be read.");
        let mut mutation =
            Object::new("Mutation").description("Everything that can be changed. One document is one transaction.");
        query = query.field(
            object_field("node", "Node", "The row with a global id; null if there is none for the caller.")
                .argument(argument("nodeId", "ID!", "The global id, out of a `nodeId` field.")),
        );
        for resource in catalog.resources() {
            types.resource(resource);
            query = types.queries(query, resource);
            mutation = types.mutations(mutation, resource);
        }
        mutation = types.session(mutation);
        types.register(query);
        types.register(mutation);
        let Self { schema, inputs, .. } = types;
        (schema.unwrap_or_else(|| Schema::build("Query", Some("Mutation"), None)), inputs)
    }

    fn register(&mut self, ty: impl Into<async_graphql::dynamic::Type>) {
        self.schema = self.schema.take().map(|schema| schema.register(ty));
    }

    /// Whether a type of this name is new, and notes it.
    fn first(&mut self, name: &str) -> bool {
        let first = !self.registered.iter().any(|other| other == name);
        if first {
            self.registered.push(name.to_owned());
        }
        first
    }

    fn input_object(&mut self, name: &str, description: &str, members: Vec<Member>, one_of: bool) {
        let mut object = InputObject::new(name).description(description);
        let mut fields = Vec::with_capacity(members.len());
        for (member, ty, description) in members {
            object = object.field(argument(&member, &ty, &description));
            fields.extend(Type::new(&given(&ty)).map(|ty| (member, ty)));
        }
        self.inputs.insert(name, InputType::Object { fields, one_of });
        let object = if one_of { object.oneof() } else { object };
        self.register(object);
    }

    fn enumeration(&mut self, name: &str, description: &str, items: Vec<(String, String)>) {
        self.inputs.insert(name, InputType::Enum(items.iter().map(|(name, _)| name.clone()).collect()));
        let items = items.into_iter().map(|(name, description)| EnumItem::new(name).description(description));
        self.register(Enum::new(name).description(description).items(items));
    }

    /// What every schema has beside its resources.
    fn shared(&mut self) {
        let node = InterfaceField::new("nodeId", type_ref("ID!")).description("The global id of the row.");
        self.register(Interface::new("Node").description("A row with a global id.").field(node));
        let info = [
            ("hasNextPage", "Boolean!", "Whether rows follow the page."),
            ("hasPreviousPage", "Boolean!", "Whether rows come before the page."),
            ("startCursor", "String", "The cursor of the page's first row."),
            ("endCursor", "String", "The cursor of the page's last row."),
        ];
        let object = Object::new("PageInfo").description("Where a page stands in its list.");
        let object = info.iter().fold(object, |object, (name, ty, text)| object.field(object_field(name, ty, text)));
        self.register(object);
        let orders = SORT_ORDERS.iter().map(|(name, _, _, text)| ((*name).to_owned(), (*text).to_owned()));
        let actions = [
            ("UPDATE", "The row that is there gets the values of the new one."),
            ("IGNORE", "The row that is there stays as it is, and is the answer."),
        ];
        let actions = actions.map(|(name, text)| (name.to_owned(), text.to_owned()));
        self.enumeration("ConflictAction", "What becomes of a new row whose values are taken.", actions.to_vec());
        self.enumeration("SortOrder", "The direction of an order, and where NULLs are in it.", orders.collect());
    }

    /// The types of a resource.
    fn resource(&mut self, resource: &Resource) {
        let name = &resource.names.type_name;
        let mut object = Object::new(name).description(&resource.description).implement("Node");
        object = object.field(object_field("nodeId", "ID!", "The global id of the row."));
        for (index, column) in resource.columns.iter().enumerate() {
            self.scalar(&column.scalar);
            let ty = nullable(output_type(resource, index), column.optional());
            object = object.field(object_field(&column.field, &ty, &about(resource, column)));
        }
        for relation in &resource.relations {
            let target = self.catalog.at(relation.target);
            object = object.field(match relation.cardinality {
                Cardinality::One => {
                    let text =
                        format!("The row of {} that it belongs to; null where the caller may not see it.", target.name);
                    object_field(&relation.field, &target.names.type_name, &text)
                }
                Cardinality::Many => {
                    let text = format!("The rows of {} that belong to it.", target.name);
                    let ty = format!("{}Connection!", target.names.type_name);
                    list_arguments(object_field(&relation.field, &ty, &text), target)
                }
            });
        }
        self.register(object);
        self.register(
            Object::new(format!("{name}Edge"))
                .description(format!("A row of {} in a list.", resource.name))
                .field(object_field("cursor", "String!", "Where the row stands, for `after` and `before`."))
                .field(object_field("node", &format!("{name}!"), "The row.")),
        );
        self.register(
            Object::new(format!("{name}Connection"))
                .description(format!("A page of a list of {}.", resource.name))
                .field(object_field("edges", &format!("[{name}Edge!]!"), "The rows of the page, with their cursors."))
                .field(object_field("nodes", &format!("[{name}!]!"), "The rows of the page."))
                .field(object_field("pageInfo", "PageInfo!", "Where the page stands in the list."))
                .field(object_field("totalCount", "Int!", "How many rows the list has; counted only if selected."))
                .field(object_field(
                    "aggregate",
                    &format!("{name}Aggregate!"),
                    "What all rows of the list come to, whatever the page.",
                ))
                .field(self.groups_field(resource)),
        );
        self.aggregates(resource);
        self.filter(resource);
        self.order(resource);
    }

    /// The scalar or enum of a column, once.
    fn scalar(&mut self, scalar: &Scalar) {
        let name = scalar.graphql().to_owned();
        if self.inputs.get(&name).is_some() {
            return;
        }
        if let Scalar::Enum(enumeration) = scalar {
            let items = enumeration.members().map(|(name, text)| (name.to_owned(), format!("The text \"{text}\".")));
            let items = items.collect();
            self.enumeration(&name, "One of a few texts.", items);
            return;
        }
        self.inputs.insert(&name, InputType::Scalar);
        let mut ty = DynamicScalar::new(&name).description(scalar.description().unwrap_or_default());
        if let Some(url) = scalar.specified_by() {
            ty = ty.specified_by_url(url);
        }
        self.register(ty);
    }

    fn queries(&self, query: Object, resource: &Resource) -> Object {
        let names = &resource.names;
        let one = object_field(
            &names.one,
            &names.type_name,
            &format!("The row of {} with a key; null if there is none for the caller.", resource.name),
        );
        let many = object_field(
            &names.many,
            &format!("{}Connection!", names.type_name),
            &format!("The rows of {} that the caller may see.", resource.name),
        );
        let query = query.field(one.argument(argument("id", "ID!", "The key."))).field(list_arguments(many, resource));
        if !resource.principals {
            return query;
        }
        query.field(object_field("me", &names.type_name, "The caller; null if it is anonymous."))
    }
}

/// The type of a column, without its nullability.
fn output_type(resource: &Resource, index: usize) -> String {
    if index == resource.key { "ID".to_owned() } else { resource.columns[index].scalar.graphql().to_owned() }
}

fn nullable(ty: String, nullable: bool) -> String {
    if nullable { ty } else { ty + "!" }
}

fn about(resource: &Resource, column: &Column) -> String {
    format!("The column {} of {}.", column.name, resource.name)
}

fn list_arguments(field: Field, resource: &Resource) -> Field {
    let name = &resource.names.type_name;
    [
        ("filter", format!("{name}Filter"), "Which rows."),
        ("orderBy", format!("[{name}OrderBy!]"), "In which order; the key breaks ties."),
        ("first", "Int".to_owned(), "How many rows from the start of the list."),
        ("after", "String".to_owned(), "Only rows behind this cursor."),
        ("last", "Int".to_owned(), "How many rows from the end of the list."),
        ("before", "String".to_owned(), "Only rows before this cursor."),
        ("offset", "Int".to_owned(), "How many rows to leave out."),
    ]
    .into_iter()
    .fold(field, |field, (name, ty, text)| field.argument(argument(name, &ty, text)))
}

/// An argument or a member of an input; its type may have a default behind it, like `Int! = 1`.
fn argument(name: &str, ty: &str, description: &str) -> InputValue {
    let (ty, default) = ty.split_once(" = ").map_or((ty, None), |(ty, default)| (ty, Some(default)));
    let value = InputValue::new(name, type_ref(ty)).description(description);
    match default {
        Some(number) if number.parse::<i32>().is_ok() => value.default_value(number.parse::<i32>().unwrap_or_default()),
        Some(member) => value.default_value(Value::Enum(Name::new(member))),
        None => value,
    }
}

/// The type of what a client gives: what has a default may be left out.
fn given(ty: &str) -> String {
    match ty.split_once(" = ") {
        Some((ty, _)) => ty.trim_end_matches('!').to_owned(),
        None => ty.to_owned(),
    }
}

fn object_field(name: &str, ty: &str, description: &str) -> Field {
    Field::new(name, type_ref(ty), |_| FieldFuture::Value(None)).description(description)
}

/// A type in the schema's own notation, like `[Tree!]!`.
fn type_ref(text: &str) -> TypeRef {
    fn of(ty: &Type) -> TypeRef {
        let inner = match &ty.base {
            BaseType::Named(name) => TypeRef::named(name.as_str()),
            BaseType::List(of_type) => TypeRef::List(Box::new(of(of_type))),
        };
        if ty.nullable { inner } else { TypeRef::NonNull(Box::new(inner)) }
    }
    Type::new(text).as_ref().map_or_else(|| TypeRef::named(text), of)
}
