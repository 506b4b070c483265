//! The JSON Schemas of a resource: its rows, and the inputs of its writes.
//!
//! In: columns, with their types, rules and fills. Out: the schemas that the policy leaves a use for, each with an
//! example made of the types.

use super::{access::words, reference};
use crate::{
    catalog::{
        Cardinality, Catalog, Column, Fill, Relation, Resource, Rule,
        policy::Condition,
        scalar::{Cell, Decimal, Scalar, Style, Value as Constant},
    },
    engine::plan::{create_columns, merges, update_columns},
};
use heck::ToTitleCase as _;
use serde_json::{Map, Value, json};

/// What a schema of a resource is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A row as it is answered.
    Row,
    /// The input of a new row.
    Create,
    /// The input that changes some columns.
    Update,
    /// The input that replaces a row.
    Replace,
}

impl Form {
    /// The name of the component.
    pub(super) fn name(self, resource: &Resource) -> String {
        let prefix = match self {
            Self::Row => "",
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Replace => "Replace",
        };
        format!("{prefix}{}", resource.names.type_name)
    }

    fn columns(self, resource: &Resource) -> Vec<&Column> {
        match self {
            Self::Row => resource.columns.iter().collect(),
            // A key that the server gives can be that of a row that is there, for `on_conflict`.
            Self::Create => {
                let key = merges(resource).then(|| resource.key_column());
                key.into_iter().chain(create_columns(resource)).collect()
            }
            Self::Update => update_columns(resource).collect(),
            // A replacement may repeat its key.
            Self::Replace => std::iter::once(resource.key_column()).chain(update_columns(resource)).collect(),
        }
    }

    fn requires(self, resource: &Resource, column: &Column) -> bool {
        match self {
            // What is there is for `select` to say.
            Self::Row | Self::Update => false,
            Self::Create => column.required(),
            Self::Replace => column.required() && column.touch.is_none() && !is_key(resource, column),
        }
    }

    fn description(self, resource: &Resource) -> String {
        let name = &resource.name;
        match self {
            Self::Row => format!(
                "{} Without `select` all columns are there, and no relations. With it, members are what it says: a column \
                 may have another name or another type.",
                resource.description
            ),
            Self::Create => format!("A new row of {name}."),
            Self::Update => format!("Changes to a row of {name}: columns that are not named keep what they have."),
            Self::Replace => {
                format!("A row of {name} in place of another: columns that are not named get what a new row would.")
            }
        }
    }
}

fn is_key(resource: &Resource, column: &Column) -> bool {
    resource.key_column().name == column.name
}

/// The schemas of a resource, with their names.
pub(super) fn of(catalog: &Catalog, resource: &Resource) -> Vec<(String, Value)> {
    let policy = &resource.policy;
    let mut forms = vec![Form::Row];
    if policy.create.condition != Condition::Never {
        forms.push(Form::Create);
    }
    if policy.update.condition != Condition::Never {
        forms.extend([Form::Update, Form::Replace]);
    }
    forms.into_iter().map(|form| (form.name(resource), schema(catalog, resource, form))).collect()
}

fn schema(catalog: &Catalog, resource: &Resource, form: Form) -> Value {
    let columns = form.columns(resource);
    let mut properties: Map<String, Value> =
        columns.iter().map(|column| (column.name.clone(), property(catalog, resource, form, column))).collect();
    if form == Form::Row {
        for relation in &resource.relations {
            properties.entry(relation.name.as_str()).or_insert_with(|| embedded(catalog, relation));
        }
    }
    let required: Vec<&str> =
        columns.iter().filter(|column| form.requires(resource, column)).map(|column| column.name.as_str()).collect();
    let sample: Map<String, Value> = columns
        .iter()
        .filter(|column| form == Form::Row || !is_key(resource, column))
        .map(|column| (column.name.clone(), example(column)))
        .collect();
    let mut schema = json!({
        "type": "object",
        "description": form.description(resource),
        "properties": properties,
        "examples": [sample],
    });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    if form != Form::Row {
        schema["additionalProperties"] = false.into();
    }
    schema
}

/// The schema of what `select` embeds by a relation.
fn embedded(catalog: &Catalog, relation: &Relation) -> Value {
    let row = reference("schemas", &catalog.at(relation.target).names.type_name);
    let mut schema = match relation.cardinality {
        Cardinality::One => json!({ "anyOf": [row, { "type": "null" }] }),
        Cardinality::Many => json!({ "type": "array", "items": row }),
    };
    schema["description"] = format!("There if `select` asks for it: `{}(…)`.", relation.name).into();
    schema["readOnly"] = true.into();
    schema
}

/// A body of CSV: the names of what a new row must have, and a row.
pub(super) fn csv_example(resource: &Resource) -> String {
    let columns: Vec<&Column> = create_columns(resource).filter(|column| column.required()).collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let values: Vec<String> = columns.iter().map(|column| plain(column)).collect();
    format!("{}\n{}\n", names.join(","), values.join(","))
}

/// A column's example without the quotes of a text.
pub(super) fn plain(column: &Column) -> String {
    match example(column) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// The schema of a column in one form of its resource.
pub(super) fn property(catalog: &Catalog, resource: &Resource, form: Form, column: &Column) -> Value {
    let mut schema = match column.scalar.json_schema() {
        Value::Object(schema) => schema,
        // `true`, the other way to say that every value is right.
        _ => Map::new(),
    };
    column.rules.iter().for_each(|rule| rule.describe(&mut schema));
    if let Scalar::Decimal(shape) = &column.scalar {
        decimal(*shape, form, &mut schema);
    }
    if column.nullable {
        admit_null(&mut schema);
    }
    let mut texts = Vec::new();
    if let Some(relation) = resource.relations.iter().find(|relation| {
        relation.cardinality == Cardinality::One && resource.columns[relation.local].name == column.name
    }) {
        let target = catalog.at(relation.target);
        texts.push(format!("The `{}` of a row of {}.", target.columns[relation.foreign].name, target.name));
    }
    match form {
        Form::Row => {
            if !create_columns(resource).chain(update_columns(resource)).any(|other| other.name == column.name) {
                schema.insert("readOnly".into(), true.into());
            }
        }
        Form::Create => fill(column, &mut schema, &mut texts),
        Form::Replace if is_key(resource, column) => {
            texts.push("May be named, and must then be that of the row.".to_owned())
        }
        Form::Replace => fill(column, &mut schema, &mut texts),
        Form::Update => {}
    }
    let rule = resource.policy.columns.iter().find(|rule| rule.column == column.name);
    if let Some(rule) = rule.filter(|rule| form != Form::Row && rule.write != Condition::Never) {
        texts.push(format!("Set by {} alone.", words(&rule.write)));
    }
    if !texts.is_empty() {
        schema.insert("description".into(), texts.join(" ").into());
    }
    schema.into()
}

/// What a column gets that the input does not name.
fn fill(column: &Column, schema: &mut Map<String, Value>, texts: &mut Vec<String>) {
    match &column.default {
        Some(Fill::Value(_)) => {
            schema.insert("default".into(), example(column));
        }
        Some(Fill::Now) => texts.push("Without it: the time of the request.".to_owned()),
        Some(Fill::Today) => texts.push("Without it: the day of the request, in UTC.".to_owned()),
        Some(Fill::UuidV7) => texts.push("Without it: a new UUID, version 7.".to_owned()),
        Some(Fill::Database) => texts.push("Without it: what the database gives.".to_owned()),
        None => {}
    }
}

/// A decimal, which inputs may also write as a text.
fn decimal(shape: Decimal, form: Form, schema: &mut Map<String, Value>) {
    let whole = shape.precision - shape.scale;
    let bound = 10i64.pow(whole);
    // A rule may have drawn the line higher.
    let negative = !schema.contains_key("minimum");
    if negative {
        schema.insert("exclusiveMinimum".into(), (-bound).into());
    }
    schema.insert("exclusiveMaximum".into(), bound.into());
    if form != Form::Row {
        schema.insert("type".into(), json!(["number", "string"]));
        let sign = if negative { "[+-]?" } else { "[+]?" };
        let fraction = match shape.scale {
            0 => String::new(),
            scale => format!("(\\.[0-9]{{1,{scale}}}0*)?"),
        };
        schema.insert("pattern".into(), format!("^{sign}0*[0-9]{{1,{}}}{fraction}$", whole.max(1)).into());
    }
}

/// Makes NULL a value of the schema.
fn admit_null(schema: &mut Map<String, Value>) {
    match schema.get_mut("type") {
        Some(Value::Array(types)) => types.push("null".into()),
        Some(only) => *only = json!([only, "null"]),
        // Without a type every value is right already.
        None => {}
    }
    if let Some(Value::Array(members)) = schema.get_mut("enum") {
        members.push(Value::Null);
    }
}

/// A value that the column could have: its default, or one that its type and its rules allow.
pub(super) fn example(column: &Column) -> Value {
    if let Some(Fill::Value(value)) = &column.default {
        return constant(&column.scalar, value);
    }
    match &column.scalar {
        Scalar::Integer | Scalar::BigInt => 1.into(),
        Scalar::Float => 0.5.into(),
        Scalar::Boolean => true.into(),
        Scalar::Uuid => "01939d5c-7c5e-7cc0-8e5b-3d9c5f5b2a10".into(),
        Scalar::Date if column.rules.contains(&Rule::FirstOfMonth) => "2026-01-01".into(),
        Scalar::Date => "2026-01-31".into(),
        Scalar::Timestamp => "2026-01-31T12:00:00.000000Z".into(),
        Scalar::Decimal(shape) if shape.scale == 0 => 1.into(),
        Scalar::Decimal(shape) if shape.precision - shape.scale < 2 => 0.5.into(),
        Scalar::Decimal(_) => 12.5.into(),
        Scalar::Json => json!({}),
        Scalar::Enum(enumeration) => enumeration.members().next().map(|(_, text)| text).into(),
        Scalar::Text => text_example(column).into(),
    }
}

/// A value of the catalogue as REST writes it.
fn constant(scalar: &Scalar, value: &Constant) -> Value {
    match value {
        Constant::Bool(value) => (*value).into(),
        Constant::Float(value) => (*value).into(),
        // Of a decimal these are minor units, which its type knows how to write.
        Constant::Int(value) => {
            let mut bytes = Vec::new();
            let written = scalar.write(Cell::Integer(*value), Style::Rest, &mut bytes);
            written.ok().and_then(|()| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
        }
        Constant::Json(text) => serde_json::from_str(text).unwrap_or_default(),
        Constant::Null | Constant::List(_) | Constant::Each { .. } => Value::Null,
        Constant::Text(_) | Constant::Uuid(_) | Constant::Date(_) | Constant::Timestamp(_) => {
            let mut text = String::new();
            value.write_text(&mut text);
            text.into()
        }
    }
}

/// The column's own name as a title, as long as the rules want it.
fn text_example(column: &Column) -> String {
    let mut text = column.name.to_title_case();
    for rule in &column.rules {
        match rule {
            Rule::OneOf(texts) => return texts.first().cloned().unwrap_or_default(),
            Rule::Currency => return "USD".to_owned(),
            Rule::Length(least, most) => {
                let length = text.chars().count().clamp(*least, *most);
                text = text.chars().cycle().take(length).collect();
            }
            Rule::FirstOfMonth => {}
        }
    }
    text
}
