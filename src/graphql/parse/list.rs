//! Lists in a document: filter, order, page, and the connection's own fields.
//!
//! In: a field that is a connection, with its arguments. Out: a [`List`], the fields of its rows, and their envelope.

use super::{
    super::tree::{Leaf, Tree},
    Parser, sets,
};
use crate::{
    catalog::Resource,
    engine::{
        bind::Argument,
        cursor,
        request::{
            EdgeKind, EdgePart, Envelope, Field as Select, List, Page, PageInfoKind, PageInfoPart, Part, PartKind,
            Position,
        },
    },
    error::{Error, Result},
};
use async_graphql_parser::types::Field;

impl<'a> Parser<'a> {
    /// A connection: which rows, what of each, how they are framed, and the cost.
    pub(super) fn connection(
        &mut self,
        index: usize,
        fields: &[&'a Field],
        depth: u64,
    ) -> Result<(List, Vec<Select>, Envelope, u64)> {
        let resource = self.context.catalog.at(index);
        let list = self.list(resource, fields[0])?;
        let page = list.page.limit.unwrap_or(self.context.limits.default_page_size);
        let type_name = &resource.names.type_name;
        let mut select = Vec::new();
        let mut parts = Vec::new();
        let mut cost = 1u64;
        for (alias, fields) in self.collect(&sets(fields), &format!("{type_name}Connection"), depth)? {
            let kind = match fields[0].name.node.as_str() {
                "nodes" => {
                    let (row, own) = self.row(index, &fields, depth + 1)?;
                    cost = cost.saturating_add(own.saturating_mul(page));
                    let start = select.len();
                    select.extend(row);
                    PartKind::Nodes(start..select.len())
                }
                "edges" => {
                    let mut edge = Vec::new();
                    let mut own = 1u64;
                    for (alias, fields) in self.collect(&sets(&fields), &format!("{type_name}Edge"), depth + 1)? {
                        own = own.saturating_add(1);
                        let kind = match fields[0].name.node.as_str() {
                            "node" => {
                                let (row, cost) = self.row(index, &fields, depth + 2)?;
                                own = own.saturating_add(cost);
                                let start = select.len();
                                select.extend(row);
                                EdgeKind::Node(start..select.len())
                            }
                            "cursor" => EdgeKind::Cursor,
                            _ => EdgeKind::TypeName(format!("{type_name}Edge")),
                        };
                        edge.push(EdgePart { alias, kind });
                    }
                    cost = cost.saturating_add(own.saturating_mul(page));
                    PartKind::Edges(edge)
                }
                "pageInfo" => {
                    let mut info = Vec::new();
                    for (alias, fields) in self.collect(&sets(&fields), "PageInfo", depth + 1)? {
                        let kind = match fields[0].name.node.as_str() {
                            "hasNextPage" => PageInfoKind::HasNextPage,
                            "hasPreviousPage" => PageInfoKind::HasPreviousPage,
                            "startCursor" => PageInfoKind::StartCursor,
                            "endCursor" => PageInfoKind::EndCursor,
                            _ => PageInfoKind::TypeName("PageInfo".to_owned()),
                        };
                        info.push(PageInfoPart { alias, kind });
                    }
                    cost = cost.saturating_add(1 + info.len() as u64);
                    PartKind::PageInfo(info)
                }
                "totalCount" => {
                    cost = cost.saturating_add(1);
                    PartKind::TotalCount
                }
                "aggregate" => {
                    let (parts, own) = self.aggregate(resource, &fields, depth + 1)?;
                    cost = cost.saturating_add(own);
                    PartKind::Aggregate(parts)
                }
                "groups" => {
                    let (groups, own) = self.groups(resource, &fields, depth + 1)?;
                    cost = cost.saturating_add(own);
                    PartKind::Groups(Box::new(groups))
                }
                _ => PartKind::TypeName(format!("{type_name}Connection")),
            };
            parts.push(Part { alias, kind });
        }
        Ok((list, select, Envelope::Connection(parts), cost))
    }

    fn list(&mut self, resource: &Resource, field: &Field) -> Result<List> {
        let type_name = &resource.names.type_name;
        let filter = match self.argument(field, "filter", &format!("{type_name}Filter"))? {
            Some(Tree::Object(members)) => Some(self.filter(resource, &members)?),
            _ => None,
        };
        let order = match self.argument(field, "orderBy", &format!("[{type_name}OrderBy!]"))? {
            Some(Tree::List(items)) => items.iter().map(|item| self.order(resource, item)).collect::<Result<_>>()?,
            _ => Vec::new(),
        };
        let (first, last) = (self.count(field, "first")?, self.count(field, "last")?);
        if first.is_some() && last.is_some() {
            return Err(Error::bad_request("A page has first or last, not both").field("last"));
        }
        let offset = match self.argument(field, "offset", "Int")? {
            Some(Tree::Leaf(leaf)) => {
                let Argument::Number(text) = &leaf.value else {
                    return Err(Error::internal("offset is no number"));
                };
                if text.starts_with('-') && text != "-0" {
                    return Err(Error::bad_value("offset must not be negative").field("offset"));
                }
                // No offset is no part of the question.
                (text.trim_start_matches('-') != "0").then(|| self.slot(&leaf))
            }
            _ => None,
        };
        let (after, before) = (self.position(field, "after")?, self.position(field, "before")?);
        let page = Page { limit: first.or(last), backward: last.is_some(), offset, after, before };
        Ok(List { filter, order, page })
    }

    /// How many rows or groups the argument `name` asks for.
    pub(super) fn count(&self, field: &Field, name: &str) -> Result<Option<u64>> {
        let Some(Tree::Leaf(Leaf { value: Argument::Number(text), .. })) = self.argument(field, name, "Int")? else {
            return Ok(None);
        };
        let count = text.parse().map_err(|_| Error::bad_value(format!("{name} must not be negative")).field(name))?;
        let max = self.context.limits.max_page_size;
        if count > max {
            return Err(Error::bad_value(format!("{name} is {count}, and a page has at most {max} rows")).field(name));
        }
        Ok(Some(count))
    }

    fn position(&mut self, field: &Field, name: &str) -> Result<Option<Position>> {
        match self.argument(field, name, "String")? {
            Some(Tree::Leaf(leaf)) => {
                let nulls = cursor::nulls(leaf.value.text().unwrap_or_default()).map_err(|error| error.field(name))?;
                Ok(Some(Position { slot: self.slot(&leaf), nulls }))
            }
            _ => Ok(None),
        }
    }
}
