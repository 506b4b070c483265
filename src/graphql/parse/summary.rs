//! What a document asks of several rows together: the fields `aggregate` and `groups` of a connection.
//!
//! In: such a field. Out: the members of its answer, and its cost.

use super::{
    super::tree::{Leaf, Tree},
    Parser,
    filter::{column_name, direction, function, measure_order, only_member},
    sets,
};
use crate::{
    catalog::{Bucket, Function, Resource},
    engine::{
        bind::Argument,
        request::{GroupKey, Groups, Measure, Order, SummaryKind, SummaryPart, Term},
    },
    error::{Error, Result},
};
use async_graphql_parser::types::Field;
use heck::ToShoutySnakeCase as _;

/// By what rows of a resource can be grouped: the member of the enum `…GroupBy`, the field of `…GroupKey`, and the key.
pub(in super::super) fn group_keys(resource: &Resource) -> Vec<(String, String, GroupKey)> {
    let mut keys = Vec::new();
    for (index, column) in resource.columns.iter().enumerate() {
        // No two rows have the key in common, and JSON values are never equal.
        if index == resource.key || Function::CountDistinct.result(&column.scalar).is_none() {
            continue;
        }
        let name = column.name.to_shouty_snake_case();
        let key = |bucket| GroupKey { term: Term::column(column.name.clone()), bucket };
        keys.push((name.clone(), column.field.clone(), key(None)));
        if Bucket::applies(&column.scalar) {
            for bucket in Bucket::ALL {
                let word = bucket.word();
                let capital = format!("{}{}", word[..1].to_uppercase(), &word[1..]);
                let member = format!("{name}_{}", word.to_uppercase());
                keys.push((member, format!("{}{capital}", column.field), key(Some(bucket))));
            }
        }
    }
    keys
}

impl<'a> Parser<'a> {
    /// The members of an aggregate of all rows, and their cost.
    pub(super) fn aggregate(
        &mut self,
        resource: &Resource,
        fields: &[&'a Field],
        depth: u64,
    ) -> Result<(Vec<SummaryPart>, u64)> {
        let type_name = format!("{}Aggregate", resource.names.type_name);
        self.summary(resource, &type_name, fields, depth, &[])
    }

    /// The groups of a list's rows, and their cost.
    pub(super) fn groups(&mut self, resource: &Resource, fields: &[&'a Field], depth: u64) -> Result<(Groups, u64)> {
        let (field, name) = (fields[0], &resource.names.type_name);
        let keys = group_keys(resource);
        let mut by = Vec::new();
        let mut asked = Vec::new();
        if let Some(Tree::Leaf(Leaf { value: Argument::List(items), .. })) =
            self.argument(field, "by", &format!("[{name}GroupBy!]!"))?
        {
            for item in &items {
                let text = item.text().unwrap_or_default();
                let found = keys.iter().find(|(member, ..)| member == text);
                let (_, field, key) = found.ok_or_else(|| Error::internal(format!("{text} is no key of groups")))?;
                by.push(key.clone());
                asked.push(field.clone());
            }
        }
        if by.is_empty() {
            return Err(Error::bad_value("by must name what the rows of a group have in common")
                .field("by")
                .hint("Ask for `aggregate` to sum up all rows together"));
        }
        let having = match self.argument(field, "having", &format!("{name}Having"))? {
            Some(Tree::Object(members)) => Some(self.having(resource, &members)?),
            _ => None,
        };
        let order = match self.argument(field, "orderBy", &format!("[{name}GroupOrderBy!]"))? {
            Some(Tree::List(items)) => {
                items.iter().map(|item| group_order(resource, &asked, item)).collect::<Result<_>>()?
            }
            _ => Vec::new(),
        };
        let limit = self.count(field, "first")?;
        let fill = match self.argument(field, "fill", &format!("{name}GroupFill"))? {
            Some(Tree::Object(members)) => match members.as_slice() {
                [(_, Tree::Leaf(from)), (_, Tree::Leaf(to))] => Some((self.slot(from), self.slot(to))),
                _ => return Err(Error::bad_value("fill needs its first and its last day").field("fill")),
            },
            _ => None,
        };
        let (parts, own) = self.summary(resource, &format!("{name}Group"), fields, depth, &asked)?;
        let cost = own.saturating_mul(limit.unwrap_or(self.context.limits.max_page_size));
        Ok((Groups { by, having, order, limit, offset: None, fill, parts }, cost))
    }

    /// The members of an aggregate or a group, whose keys have the fields `keys`.
    fn summary(
        &mut self,
        resource: &Resource,
        type_name: &str,
        fields: &[&'a Field],
        depth: u64,
        keys: &[String],
    ) -> Result<(Vec<SummaryPart>, u64)> {
        let mut parts = Vec::new();
        let mut cost = 1u64;
        for (alias, fields) in self.collect(&sets(fields), type_name, depth)? {
            cost = cost.saturating_add(1);
            let name = fields[0].name.node.as_str();
            let kind = match name {
                "__typename" => SummaryKind::TypeName(type_name.to_owned()),
                "count" => SummaryKind::Measure(Measure::COUNT),
                "key" => {
                    let of = format!("{}GroupKey", resource.names.type_name);
                    let mut members = Vec::new();
                    for (alias, fields) in self.collect(&sets(&fields), &of, depth + 1)? {
                        cost = cost.saturating_add(1);
                        let name = fields[0].name.node.as_str();
                        members.push(SummaryPart { alias, kind: key(name, &of, keys)? });
                    }
                    SummaryKind::Object(members)
                }
                _ => {
                    let function = function(name)?;
                    let of = measure_type(resource, function);
                    let mut members = Vec::new();
                    for (alias, fields) in self.collect(&sets(&fields), &of, depth + 1)? {
                        cost = cost.saturating_add(1);
                        let kind = match fields[0].name.node.as_str() {
                            "__typename" => SummaryKind::TypeName(of.clone()),
                            field => SummaryKind::Measure(Measure::of_column(function, column_name(resource, field)?)),
                        };
                        members.push(SummaryPart { alias, kind });
                    }
                    SummaryKind::Object(members)
                }
            };
            parts.push(SummaryPart { alias, kind });
        }
        Ok((parts, cost))
    }
}

/// The object type of what an aggregate function tells of a resource's columns: `ExpenseSum`.
pub(in super::super) fn measure_type(resource: &Resource, function: Function) -> String {
    let name = function.graphql();
    format!("{}{}{}", resource.names.type_name, name[..1].to_uppercase(), &name[1..])
}

/// A field of a group's key.
fn key(name: &str, type_name: &str, keys: &[String]) -> Result<SummaryKind> {
    if name == "__typename" {
        return Ok(SummaryKind::TypeName(type_name.to_owned()));
    }
    let number = keys.iter().position(|key| key == name).ok_or_else(|| {
        Error::bad_value(format!("key.{name} is not what the rows are grouped by"))
            .field(name)
            .hint("Name it in `by`, or leave it out of `key`")
    })?;
    Ok(SummaryKind::Key(number))
}

/// An element of an order of groups.
fn group_order(resource: &Resource, keys: &[String], item: &Tree) -> Result<Order> {
    let (name, tree) = only_member(item)?;
    if name == Function::Count.graphql() || function(name).is_ok() {
        return measure_order(resource, name, tree, &Term::Measure);
    }
    let number = keys.iter().position(|key| key == name).ok_or_else(|| {
        Error::bad_value(format!("orderBy.{name} is not what the rows are grouped by"))
            .field(name)
            .hint("Name it in `by`, or order by something else")
    })?;
    direction(Term::Key(number), tree)
}
