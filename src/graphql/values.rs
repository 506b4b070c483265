//! Values of a document and of its variables, coerced against their declared types (GraphQL specification, sections
//! 3 and 6.1.2), before any column is known.
//!
//! In: JSON tokens and literals. Out: [`Tree`]s. Numbers keep their digits: a variable's text never becomes a
//! floating-point number.

use super::{
    tree::{Leaf, Origin, Tree, Variables},
    types::{InputType, InputTypes},
};
use crate::{
    engine::bind::{Argument, MAX_MEMBERS},
    error::{Error, Result},
};
use async_graphql_parser::types::{BaseType, Type};
use async_graphql_value::Value;
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt::Write as _};

/// How deep a value may be nested.
const MAX_DEPTH: usize = 32;

/// Where a value comes from.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    /// A JSON token.
    Json(&'a str),
    /// A literal of the document, whose variables are known.
    Literal(&'a Value, &'a Variables),
}

/// Coerces a value to a type; none where a literal names a variable that is not given.
///
/// # Errors
/// A value of another type; `path` says where.
pub(super) fn coerce(types: &InputTypes, ty: &Type, given: Given<'_>, path: &str) -> Result<Option<Tree>> {
    Coercion { types, path: path.to_owned(), depth: 0, row: None }.value(ty, given)
}

struct Coercion<'t> {
    types: &'t InputTypes,
    path: String,
    depth: usize,
    /// The new row that is being read, if it is one.
    row: Option<Row>,
}

/// Where a new row is.
#[derive(Clone, Copy)]
enum Row {
    /// It is all that there is: its members' names begin here in the path.
    One(usize),
    /// In a list of new rows.
    OfMany,
}

impl Coercion<'_> {
    fn wrong(&self, message: impl AsRef<str>) -> Error {
        let field = self.field();
        Error::bad_value(format!("{} {}", self.path, message.as_ref())).field(field)
    }

    /// The field at the path: inside of new rows by the way that leads to it, elsewhere by its own name.
    fn field(&self) -> String {
        let inside = match self.row {
            Some(Row::One(at)) => self.path[at..].trim_start_matches('.').to_owned(),
            Some(Row::OfMany) => format!("input.{}", self.path.split_once('.').map_or("", |(_, inside)| inside)),
            None => String::new(),
        };
        if !inside.is_empty() {
            return inside;
        }
        // An element of a list has no name but the list's.
        let named = |name: &&str| !name.bytes().all(|byte| byte.is_ascii_digit());
        self.path.rsplit(['.', '$']).find(named).unwrap_or_default().to_owned()
    }

    fn value(&mut self, ty: &Type, given: Given<'_>) -> Result<Option<Tree>> {
        if let Given::Literal(Value::Variable(name), variables) = given {
            return match variables.get(name) {
                // What a variable holds was coerced to its own type, which validation has found to fit here.
                Some(Tree::Null) if !ty.nullable => Err(self.wrong("must not be null")),
                Some(tree) => Ok(Some(self.listed(ty, tree.clone()))),
                None if ty.nullable => Ok(None),
                None => Err(self.wrong("is required")),
            };
        }
        let null = match given {
            Given::Json(token) => token == "null",
            Given::Literal(value, _) => matches!(value, Value::Null),
        };
        if null {
            return if ty.nullable { Ok(Some(Tree::Null)) } else { Err(self.wrong("must not be null")) };
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong(format!("is nested deeper than {MAX_DEPTH}")));
        }
        let tree = match &ty.base {
            BaseType::List(item) => self.list(item, given),
            BaseType::Named(name) => self.named(name, given),
        };
        self.depth -= 1;
        tree.map(Some)
    }

    /// A single value is a list of one; a variable of the item's type may stand where a list is asked for.
    fn listed(&self, ty: &Type, tree: Tree) -> Tree {
        match (&ty.base, tree) {
            (BaseType::List(_), tree @ Tree::Object(_)) => Tree::List(vec![tree]),
            (_, tree) => tree,
        }
    }

    fn list(&mut self, item: &Type, given: Given<'_>) -> Result<Tree> {
        let items = match given {
            Given::Json(token) if token.starts_with('[') => {
                let items: Vec<&RawValue> = serde_json::from_str(token).map_err(|_| self.wrong("must be a list"))?;
                let items = items.into_iter().map(|item| Given::Json(item.get())).enumerate();
                self.items(item, items)?
            }
            Given::Literal(Value::List(items), variables) => {
                let items = items.iter().map(|item| Given::Literal(item, variables)).enumerate();
                self.items(item, items)?
            }
            single => self.value(item, single)?.into_iter().collect(),
        };
        // A list of plain values is one value: it is bound whole.
        if self.is_plain(item) {
            let null = || Leaf { value: Argument::Null, decides: false, origin: Origin::Literal };
            let leaves: Vec<_> =
                items.into_iter().map(|item| if let Tree::Leaf(leaf) = item { leaf } else { null() }).collect();
            let value = Argument::List(leaves.iter().map(|leaf| leaf.value.clone()).collect());
            let literal = leaves.iter().all(|leaf| leaf.origin == Origin::Literal);
            // Members of an enum may be names in the statement: the keys of groups, the columns of a conflict.
            let decides = leaves.iter().any(|leaf| leaf.decides);
            let origin = if literal { Origin::Literal } else { Origin::List(leaves) };
            return Ok(Tree::Leaf(Leaf { value, decides, origin }));
        }
        Ok(Tree::List(items))
    }

    fn is_plain(&self, item: &Type) -> bool {
        match &item.base {
            BaseType::List(_) => false,
            BaseType::Named(name) => !matches!(self.types.get(name), Some(InputType::Object { .. }) | None),
        }
    }

    fn items<'g>(&mut self, item: &Type, items: impl Iterator<Item = (usize, Given<'g>)>) -> Result<Vec<Tree>> {
        let length = self.path.len();
        let mut trees = Vec::new();
        for (index, given) in items {
            // Writing into a String cannot fail.
            let _ = write!(self.path, ".{index}");
            trees.extend(self.value(item, given)?);
            self.path.truncate(length);
        }
        Ok(trees)
    }

    fn named(&mut self, name: &str, given: Given<'_>) -> Result<Tree> {
        let types = self.types;
        let leaf = |value: Argument, decides: bool| Ok(Tree::Leaf(Leaf { value, decides, origin: Origin::Literal }));
        match types.get(name) {
            None => Err(self.wrong(format!("is of type {name}, which is no input type"))),
            Some(InputType::Object { fields, one_of }) => self.object(name, fields, *one_of, given),
            Some(InputType::Enum(members)) => match self.text(given) {
                Some(text) if members.iter().any(|member| *member == *text) => {
                    leaf(Argument::String(text.into_owned()), true)
                }
                other => {
                    let near = other.as_deref().and_then(|text| {
                        crate::error::nearest(text, members.iter().map(String::as_str)).map(str::to_owned)
                    });
                    let error = self.wrong(format!("must be one of {}", members.join(", ")));
                    Err(match near {
                        Some(near) => error.hint(format!("Did you mean \"{near}\"?")),
                        None => error,
                    })
                }
            },
            Some(InputType::Boolean) => match self.plain(given) {
                Some(value @ Argument::Bool(_)) => leaf(value, true),
                _ => Err(self.wrong("must be true or false")),
            },
            Some(InputType::Int) => match self.plain(given) {
                Some(Argument::Number(text)) if text.parse::<i32>().is_ok() => leaf(Argument::Number(text), false),
                _ => Err(self.wrong(format!("must be an integer from {} to {}", i32::MIN, i32::MAX))),
            },
            Some(InputType::Float) => match self.plain(given) {
                Some(value @ Argument::Number(_)) => leaf(value, false),
                _ => Err(self.wrong("must be a number")),
            },
            Some(InputType::String) => match self.plain(given) {
                Some(value @ Argument::String(_)) => leaf(value, false),
                _ => Err(self.wrong("must be a string")),
            },
            Some(InputType::Id) => match self.plain(given) {
                Some(Argument::String(text)) => leaf(Argument::Text(text), false),
                Some(Argument::Number(text)) if text.parse::<i64>().is_ok() => leaf(Argument::Text(text), false),
                _ => Err(self.wrong("must be an ID: a string or an integer")),
            },
            Some(InputType::Scalar) => match (self.plain(given), given) {
                // The parser has made a binary number of it, whose digits may not be those that were written.
                (Some(Argument::Number(text)), Given::Literal(..)) if text.parse::<i64>().is_err() => {
                    Err(self.wrong(format!("is a {name}: write it as a string, \"{text}\", so that it stays exact")))
                }
                (Some(value), _) => leaf(value, false),
                (None, _) => Err(self.wrong(format!("is no {name}"))),
            },
        }
    }

    fn object(&mut self, name: &str, fields: &[(String, Type)], one_of: bool, given: Given<'_>) -> Result<Tree> {
        let mut members: Vec<(Cow<'_, str>, Given<'_>)> = match given {
            Given::Json(token) if token.starts_with('{') => {
                let object: Members<'_> = serde_json::from_str(token).map_err(|_| self.wrong("must be an object"))?;
                object.0.into_iter().map(|(key, value)| (key, Given::Json(value.get()))).collect()
            }
            Given::Literal(Value::Object(object), variables) => object
                .iter()
                .map(|(key, value)| (Cow::Borrowed(key.as_str()), Given::Literal(value, variables)))
                .collect(),
            _ => return Err(self.wrong(format!("must be an object of type {name}"))),
        };
        let outer = self.row;
        if outer.is_none() && name.starts_with("Create") {
            self.row = Some(if self.path.contains('.') { Row::OfMany } else { Row::One(self.path.len()) });
        }
        let known = |key: &str| fields.iter().any(|(field, _)| field == key);
        if let Some((key, _)) = members.iter().find(|(key, _)| !known(key)) {
            let error = Error::bad_value(format!("{} has no member \"{key}\" in type {name}", self.path));
            let _ = write!(self.path, ".{key}");
            let error = error.field(self.field());
            return Err(error.nearest(key, fields.iter().map(|(field, _)| field.as_str())));
        }
        let length = self.path.len();
        let mut trees = Vec::with_capacity(members.len());
        // In the type's order, so that the order in which a client writes members makes no other plan.
        for (field, ty) in fields {
            // Writing into a String cannot fail.
            let _ = write!(self.path, ".{field}");
            match members.iter().position(|(key, _)| key == field) {
                Some(index) => {
                    let (_, given) = members.swap_remove(index);
                    trees.extend(self.value(ty, given)?.map(|tree| (field.clone(), tree)));
                }
                None if ty.nullable => {}
                None => return Err(self.wrong("is required")),
            }
            self.path.truncate(length);
        }
        self.row = outer;
        if one_of && (trees.len() != 1 || trees.iter().any(|(_, tree)| *tree == Tree::Null)) {
            return Err(self.wrong("must have exactly one member"));
        }
        Ok(Tree::Object(trees))
    }

    /// The text of a string, or of an enum's name in a literal.
    fn text<'g>(&self, given: Given<'g>) -> Option<Cow<'g, str>> {
        match given {
            Given::Json(token) if token.starts_with('"') => serde_json::from_str(token).ok().map(Cow::Owned),
            Given::Literal(Value::Enum(name), _) => Some(Cow::Borrowed(name.as_str())),
            _ => None,
        }
    }

    /// A value without a type of its own.
    fn plain(&self, given: Given<'_>) -> Option<Argument> {
        Some(match given {
            Given::Json(token) => Argument::from_json(token)?,
            Given::Literal(value, _) => match value {
                Value::String(text) => Argument::String(text.clone()),
                Value::Boolean(value) => Argument::Bool(*value),
                Value::Number(number) => Argument::Number(number.to_string()),
                Value::List(_) | Value::Object(_) => {
                    Argument::Json(value.clone().into_const()?.into_json().ok()?.to_string())
                }
                Value::Null | Value::Variable(_) | Value::Enum(_) | Value::Binary(_) => return None,
            },
        })
    }
}

/// The members of a JSON object; of two with one name, the last.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    if members.len() == MAX_MEMBERS {
                        return Err(serde::de::Error::custom(format!("it has more than {MAX_MEMBERS} members")));
                    }
                    members.retain(|(other, _)| *other != key);
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// A key, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of a JSON object of variables.
///
/// # Errors
/// A text that is no JSON object.
pub(super) fn json_members(json: &str) -> Result<Vec<(Cow<'_, str>, &RawValue)>> {
    let members: Members<'_> = serde_json::from_str(json).map_err(|_| {
        Error::bad_request(format!("\"variables\" must be a JSON object of at most {MAX_MEMBERS} members"))
    })?;
    Ok(members.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn very_many_variables_are_refused() {
        let variables = |count: usize| {
            let members: Vec<_> = (0..count).map(|member| format!("\"m{member}\":1")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(json_members(&variables(MAX_MEMBERS)).unwrap().len(), MAX_MEMBERS);
        assert!(json_members(&variables(MAX_MEMBERS + 1)).is_err());
    }
}
