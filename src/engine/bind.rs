//! From what the client wrote to typed values: each slot of a plan says what it must be.
//!
//! In: [`Argument`]s, one a slot. Out: [`Bound`] values for the placeholders of the plan's statements. A wrong value is
//! an error that names its field; wrong inputs of a write are told all at once.

use super::{
    compile::Bind,
    cursor, operand,
    principal::Principal,
    query::{Defects, SlotKind},
};
use crate::{
    catalog::{
        Bucket, Catalog, Fill,
        policy::Claim,
        scalar::{Input, Scalar, Value},
    },
    error::{Error, Problem, Result},
};
use chrono::{DateTime, SubsecRound as _, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// How many members a JSON object may have where each is looked up among the others: far more than any table has
/// columns, and few enough that a large body cannot keep the server busy.
pub const MAX_MEMBERS: usize = 1_000;

/// How many buckets of time a list of groups is filled up with at most.
const MAX_BUCKETS: usize = 1_000;

/// A value as the client wrote it.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// JSON or GraphQL null.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number's text.
    Number(String),
    /// A string.
    String(String),
    /// Text for a value of any type, from a URL or an `ID`.
    Text(String),
    /// The text of a JSON object or array.
    Json(String),
    /// A list.
    List(Vec<Argument>),
}

impl Argument {
    fn input(&self) -> Option<Input<'_>> {
        Some(match self {
            Self::Null | Self::List(_) => return None,
            Self::Bool(value) => Input::Bool(*value),
            Self::Number(text) => Input::Number(text),
            Self::String(text) => Input::String(text),
            Self::Text(text) => Input::Text(text),
            Self::Json(text) => Input::Json(text),
        })
    }

    /// A JSON token; none for a string that is malformed. A number keeps its digits, an object and a list their text.
    pub fn from_json(token: &str) -> Option<Self> {
        Some(match token.as_bytes().first()? {
            b'n' => Self::Null,
            b't' => Self::Bool(true),
            b'f' => Self::Bool(false),
            b'"' => Self::String(serde_json::from_str(token).ok()?),
            b'{' | b'[' => Self::Json(token.to_owned()),
            _ => Self::Number(token.to_owned()),
        })
    }

    /// The text of a string or of a URL's value.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The values of one execution of a plan.
#[derive(Debug)]
pub struct Bound {
    slots: Vec<Slotted>,
    subject: Option<Uuid>,
    role: String,
    now: DateTime<Utc>,
}

#[derive(Debug)]
enum Slotted {
    One(Value),
    /// The values of a cursor.
    Position(Vec<Value>),
}

/// Types the client's values by the slots of a plan; what is wrong with them is told behind the plan's defects.
///
/// # Errors
/// A value that is not of its column's type, breaks its rules, or is no cursor of its list.
pub fn bind(
    catalog: &Catalog,
    slots: &[SlotKind],
    defects: &Defects,
    arguments: &[Argument],
    principal: &Principal,
) -> Result<Bound> {
    let mut problems = defects.problems.clone();
    let mut bound = Vec::with_capacity(slots.len());
    for (index, kind) in slots.iter().enumerate() {
        let argument = arguments.get(index).unwrap_or(&Argument::Null);
        let value = match kind {
            SlotKind::Series { from, bucket } => series(bound.get(*from), *bucket, argument)?,
            kind => slot(catalog, kind, argument, &mut problems)?,
        };
        bound.push(value);
    }
    if !problems.is_empty() {
        let error = Error::invalid(problems);
        return Err(if defects.unknown { error.code("PGRST204") } else { error });
    }
    let (subject, role) = (principal.subject(), principal.role().to_owned());
    // Both databases keep microseconds: what is written is what is read.
    Ok(Bound { slots: bound, subject, role, now: Utc::now().trunc_subsecs(6) })
}

fn slot(catalog: &Catalog, kind: &SlotKind, argument: &Argument, problems: &mut Vec<Problem>) -> Result<Slotted> {
    Ok(Slotted::One(match kind {
        SlotKind::Unused | SlotKind::Series { .. } => Value::Null,
        SlotKind::Operand { column, scalar } => operand(column, scalar, argument)?,
        SlotKind::Operands { column, scalar } => match argument {
            Argument::List(arguments) if arguments.len() > operand::MAX_LIST => {
                return Err(operand::too_long(column, arguments.len()));
            }
            Argument::List(arguments) => {
                let values = arguments.iter().map(|argument| operand(column, scalar, argument));
                Value::List(values.collect::<Result<_>>()?)
            }
            // A single value is a list of one (GraphQL specification, section 3.11).
            one => Value::List(vec![operand(column, scalar, one)?]),
        },
        SlotKind::Text { column, operator } => match operand(column, &Scalar::Text, argument)? {
            Value::Text(text) => operand::read(column, *operator, text)?,
            value => value,
        },
        SlotKind::Path { column } => operand::path(column, argument)?,
        SlotKind::Key { resource, scalar, node } => key(catalog, *resource, scalar, *node, argument)?,
        SlotKind::Input { resource, column, path } => {
            let before = problems.len();
            let column = &catalog.at(*resource).columns[*column];
            let value = match argument.input() {
                None if column.nullable && *argument == Argument::Null => Value::Null,
                None => {
                    let message = if *argument == Argument::Null { "must not be null" } else { "must not be a list" };
                    problems.push(Problem { field: column.name.clone(), message: message.to_owned() });
                    Value::Null
                }
                Some(input) => match column.scalar.parse(&input) {
                    Ok(value) => {
                        column.check(&value, problems);
                        value
                    }
                    Err(message) => {
                        problems.push(Problem { field: column.name.clone(), message });
                        Value::Null
                    }
                },
            };
            for problem in &mut problems[before..] {
                problem.field.insert_str(0, path);
            }
            value
        }
        SlotKind::Cursor { resource, order, field } => {
            let text = argument.text().unwrap_or_default();
            let values = cursor::values(text, catalog.at(*resource), order).map_err(|error| error.field(*field));
            return Ok(Slotted::Position(values?));
        }
        SlotKind::Offset => match argument.input().map(|input| Scalar::BigInt.parse(&input)) {
            Some(Ok(Value::Int(offset))) if offset >= 0 => Value::Int(offset),
            _ => return Err(Error::bad_request("An offset must be a number from 0 upward").code("PGRST103")),
        },
    }))
}

/// The first days of the buckets from one day to another, as one list.
fn series(from: Option<&Slotted>, bucket: Bucket, argument: &Argument) -> Result<Slotted> {
    let to = operand("fill.to", &Scalar::Date, argument)?;
    let (Some(Slotted::One(Value::Date(from))), Value::Date(to)) = (from, to) else {
        return Err(Error::internal("a series without its days"));
    };
    let wrong = |message: String| Error::bad_value(message).field("fill");
    let mut days = Vec::new();
    let mut day = bucket.first_day(*from);
    if *from > to {
        return Err(wrong(format!("fill goes from {from} to {to}, which is before it")));
    }
    while day <= to {
        if days.len() == MAX_BUCKETS {
            return Err(wrong(format!("fill has more than {MAX_BUCKETS} buckets")).hint("Ask for a shorter time"));
        }
        days.push(Value::Date(day));
        let Some(next) = bucket.next(day) else { break };
        day = next;
    }
    Ok(Slotted::One(Value::List(days)))
}

fn operand(column: &str, scalar: &Scalar, argument: &Argument) -> Result<Value> {
    let wrong =
        |message: &str| Error::bad_value(format!("A value for \"{column}\" {message}")).field(column.to_owned());
    match argument.input() {
        Some(input) => scalar.parse(&input).map_err(|message| wrong(&message)),
        None if *argument == Argument::Null => {
            Err(wrong("must not be null").hint("Nothing equals NULL: ask with isNull, or is.null in a URL"))
        }
        None => Err(wrong("must not be a list")),
    }
}

fn key(catalog: &Catalog, resource: usize, scalar: &Scalar, node: bool, argument: &Argument) -> Result<Value> {
    let name = &catalog.at(resource).key_column().name;
    let text = argument.text().unwrap_or_default();
    if !node {
        return match argument {
            Argument::Number(text) => operand(name, scalar, &Argument::Text(text.clone())),
            Argument::String(text) => operand(name, scalar, &Argument::Text(text.clone())),
            other => operand(name, scalar, other),
        };
    }
    // An id of nothing is the id of nothing: `node` answers null, and no row has NULL as its key.
    let key = cursor::parse_node_id(catalog, text).filter(|(of, _)| *of == resource);
    Ok(key.and_then(|(_, key)| scalar.parse(&Input::Text(&key)).ok()).unwrap_or(Value::Null))
}

impl Bound {
    /// Who asks.
    pub(super) const fn subject(&self) -> Option<Uuid> {
        self.subject
    }

    /// When it is, for the whole request.
    pub(super) const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The values of a statement's placeholders; `written` is the key of the row that a write touched.
    pub(crate) fn values(&self, binds: &[Bind], written: Option<&Value>) -> Arc<[Value]> {
        binds.iter().map(|bind| self.value(bind, written)).collect()
    }

    pub(crate) fn value(&self, bind: &Bind, written: Option<&Value>) -> Value {
        match bind {
            Bind::Slot(slot) => match self.slots.get(*slot) {
                Some(Slotted::One(value)) => value.clone(),
                _ => Value::Null,
            },
            Bind::Position(slot, index) => match self.slots.get(*slot) {
                Some(Slotted::Position(values)) => values.get(*index).cloned().unwrap_or(Value::Null),
                _ => Value::Null,
            },
            Bind::Claim(Claim::Sub) => self.subject.map_or(Value::Null, Value::Uuid),
            Bind::Claim(Claim::Role) => Value::Text(self.role.clone()),
            Bind::Value(value) | Bind::Fill(Fill::Value(value)) => value.clone(),
            Bind::Fill(Fill::Now) => Value::Timestamp(self.now),
            Bind::Fill(Fill::Today) => Value::Date(self.now.date_naive()),
            Bind::Fill(Fill::UuidV7) => Value::Uuid(Uuid::now_v7()),
            Bind::Fill(Fill::Database) => Value::Null,
            Bind::Written => written.cloned().unwrap_or(Value::Null),
        }
    }
}
