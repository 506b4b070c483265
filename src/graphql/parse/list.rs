//! Lists in a document: filter, order, page, and the connection's own fields.
//!
//! In: a field that is a connection, with its arguments. Out: a [`List`], the fields of its rows, and their envelope.

use super::{
    super::{
        schema::SORT_ORDERS,
        values::{Leaf, Tree},
    },
    Parser, sets,
};
use crate::{
    catalog::{Operator, Resource},
    engine::{
        bind::Argument,
        cursor,
        request::{
            EdgeKind, EdgePart, Envelope, Field as Select, Filter, List, Order, Page, PageInfoKind, PageInfoPart, Part,
            PartKind, Position,
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
            Some(Tree::List(items)) => items.iter().map(|item| order(resource, item)).collect::<Result<_>>()?,
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
        if let Some(limit) = page.limit.filter(|limit| *limit > self.context.limits.max_page_size) {
            let (name, max) = (if page.backward { "last" } else { "first" }, self.context.limits.max_page_size);
            return Err(Error::bad_value(format!("{name} is {limit}, and a page has at most {max} rows")).field(name));
        }
        Ok(List { filter, order, page })
    }

    fn count(&self, field: &Field, name: &str) -> Result<Option<u64>> {
        match self.argument(field, name, "Int")? {
            Some(Tree::Leaf(Leaf { value: Argument::Number(text), .. })) => match text.parse() {
                Ok(count) => Ok(Some(count)),
                Err(_) => Err(Error::bad_value(format!("{name} must not be negative")).field(name)),
            },
            _ => Ok(None),
        }
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

    pub(super) fn filter(&mut self, resource: &Resource, members: &[(String, Tree)]) -> Result<Filter> {
        let mut all = Vec::with_capacity(members.len());
        for (name, tree) in members {
            match (name.as_str(), tree) {
                ("and" | "or" | "not", Tree::Null) => {}
                ("and", Tree::List(items)) => all.push(Filter::And(self.filters(resource, items)?)),
                ("or", Tree::List(items)) => all.push(Filter::Or(self.filters(resource, items)?)),
                ("not", Tree::Object(members)) => {
                    all.push(Filter::Not(Box::new(self.filter(resource, members)?)));
                }
                (field, Tree::Object(operators)) => {
                    let column = resource.columns.iter().find(|column| column.field == field);
                    let column = column.ok_or_else(|| Error::internal(format!("{field} is no column")))?;
                    for (operator, tree) in operators {
                        all.push(self.comparison(&column.name, field, operator, tree)?);
                    }
                }
                (field, _) => {
                    return Err(Error::bad_value(format!("filter.{field} must not be null"))
                        .field(field)
                        .hint(format!("Ask for NULL with {field}: {{ isNull: true }}, or leave it out")));
                }
            }
        }
        // One condition needs no conjunction: a URL that says the same makes the same request.
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::And(all) })
    }

    fn filters(&mut self, resource: &Resource, items: &[Tree]) -> Result<Vec<Filter>> {
        let mut filters = Vec::with_capacity(items.len());
        for item in items {
            if let Tree::Object(members) = item {
                filters.push(self.filter(resource, members)?);
            }
        }
        Ok(filters)
    }

    fn comparison(&mut self, column: &str, field: &str, operator: &str, tree: &Tree) -> Result<Filter> {
        let found = Operator::TEXT.iter().find(|candidate| candidate.graphql() == operator);
        let operator = *found.ok_or_else(|| Error::internal(format!("{operator} is no operator")))?;
        let column = column.to_owned();
        match (operator, tree) {
            (Operator::IsNull, Tree::Leaf(Leaf { value: Argument::Bool(null), .. })) => {
                Ok(Filter::IsNull { column, null: *null })
            }
            (_, Tree::Leaf(leaf)) => Ok(Filter::Compare { column, operator, slot: self.slot(leaf) }),
            _ => Err(Error::bad_value(format!("filter.{field}.{} must not be null", operator.graphql()))
                .field(field)
                .hint("Nothing equals NULL: ask with isNull")),
        }
    }
}

fn order(resource: &Resource, item: &Tree) -> Result<Order> {
    let Tree::Object(members) = item else { return Err(Error::bad_value("orderBy must not hold null")) };
    let [(field, Tree::Leaf(Leaf { value: Argument::String(direction), .. }))] = members.as_slice() else {
        return Err(Error::bad_value("An element of orderBy must have exactly one member").field("orderBy"));
    };
    let column = resource.columns.iter().find(|column| column.field == *field);
    let column = column.ok_or_else(|| Error::internal(format!("{field} is no column")))?;
    let found = SORT_ORDERS.iter().find(|(name, ..)| name == direction);
    let (_, descending, nulls_first, _) = found.ok_or_else(|| Error::internal(format!("{direction} is no order")))?;
    Ok(Order { column: column.name.clone(), descending: *descending, nulls_first: *nulls_first })
}
