//! The fields of a mutation: writes, and what has to do with signing in.
//!
//! In: a root field of a mutation. Out: a question with its input, or what a session is asked for.

use super::{
    super::{
        operation::{RootKind, SessionField, SessionPart, SignIn, Source},
        tree::{Leaf, Origin, Tree},
    },
    Parser, sets,
};
use crate::{
    catalog::Resource,
    engine::{
        bind::Argument,
        request::{
            Action, Columns, Conflict, Create, Envelope, Field as Select, Key, NewRow, OnTaken, Part, PartKind, Target,
        },
    },
    error::{Error, Result},
};
use async_graphql_parser::types::Field;

impl<'a> Parser<'a> {
    pub(super) fn mutation(&mut self, name: &str, fields: &[&'a Field]) -> Result<(RootKind, u64)> {
        if let Some(root) = self.signing(name, fields)? {
            return Ok(root);
        }
        for (index, resource) in self.context.catalog.resources().iter().enumerate() {
            if let Some(verb) = name.strip_suffix(resource.names.type_name.as_str())
                && let Some(action) = self.write_one(verb, resource, fields[0])?
            {
                let below = if let Action::Create(create) = &action { below(create) } else { 0 };
                let (select, cost) = self.row(index, fields, 2)?;
                let asked = self.asked(resource, action, select, Envelope::Object);
                return Ok((RootKind::Question(asked), cost.saturating_add(below)));
            }
            if let Some(verb) = name.strip_suffix(resource.names.type_plural.as_str())
                && let Some((action, rows)) = self.write_many(verb, resource, fields[0])?
            {
                let ((select, envelope, cost), below) = match &action {
                    Action::Create(create) => {
                        let (select, own) = self.row(index, fields, 2)?;
                        ((select, Envelope::Array, own.saturating_mul(rows).max(1)), below(create))
                    }
                    _ => (self.result(index, fields, rows)?, 0),
                };
                let asked = self.asked(resource, action, select, envelope);
                return Ok((RootKind::Question(asked), cost.saturating_add(below)));
            }
        }
        Err(Error::bad_request(format!("Mutation has no field \"{name}\"")))
    }

    /// What a field does to one row; none if its verb is no verb.
    fn write_one(&mut self, verb: &str, resource: &Resource, field: &Field) -> Result<Option<Action>> {
        Ok(Some(match verb {
            "create" => {
                let ty = format!("Create{}Input!", resource.names.type_name);
                let Some(Tree::Object(members)) = self.argument(field, "input", &ty)? else {
                    return Err(required("input"));
                };
                let rows = vec![self.new_row(resource, members)?];
                Action::Create(Create {
                    rows,
                    many: false,
                    conflict: self.conflict(resource, field)?,
                    order: Vec::new(),
                })
            }
            "update" => {
                let target = self.target(resource, field)?;
                Action::Update(target, self.set(resource, field)?)
            }
            "delete" => Action::Delete(self.target(resource, field)?),
            _ => return Ok(None),
        }))
    }

    /// What a field does to several rows, and how many they may be; none if its verb is no verb.
    fn write_many(&mut self, verb: &str, resource: &Resource, field: &Field) -> Result<Option<(Action, u64)>> {
        let type_name = &resource.names.type_name;
        if verb == "create" {
            let Some(Tree::List(items)) = self.argument(field, "input", &format!("[Create{type_name}Input!]!"))? else {
                return Err(required("input"));
            };
            let count = items.len() as u64;
            let rows = self.new_rows(resource, items)?;
            let create = Create { rows, many: true, conflict: self.conflict(resource, field)?, order: Vec::new() };
            return Ok(Some((Action::Create(create), count)));
        }
        if verb != "update" && verb != "delete" {
            return Ok(None);
        }
        let Some(Tree::Object(members)) = self.argument(field, "filter", &format!("{type_name}Filter!"))? else {
            return Err(required("filter"));
        };
        let filter = Some(self.filter(resource, &members)?);
        let at_most = match self.argument(field, "atMost", "Int")? {
            Some(Tree::Leaf(Leaf { value: Argument::Number(text), .. })) => {
                text.parse().map_err(|_| Error::bad_value("atMost must not be negative").field("atMost"))?
            }
            Some(_) => return Err(Error::bad_value("atMost must not be null").field("atMost")),
            None => 1,
        };
        let target = Target::Matching { filter, at_most, order: Vec::new() };
        let action =
            if verb == "delete" { Action::Delete(target) } else { Action::Update(target, self.set(resource, field)?) };
        Ok(Some((action, at_most)))
    }

    /// The one row that a field names, and the state in which it must be.
    fn target(&mut self, resource: &Resource, field: &Field) -> Result<Target> {
        let key = self.key(field)?;
        let written = match resource.touched() {
            Some(_) => match self.argument(field, "ifUpdatedAt", "DateTime")? {
                Some(Tree::Leaf(leaf)) => Some(self.slot(&leaf)),
                _ => None,
            },
            None => None,
        };
        Ok(Target::Row { key, written })
    }

    fn set(&mut self, resource: &Resource, field: &Field) -> Result<Columns> {
        let ty = format!("Update{}Input!", resource.names.type_name);
        let Some(Tree::Object(members)) = self.argument(field, "set", &ty)? else { return Err(required("set")) };
        Ok(self.new_row(resource, members)?.columns)
    }

    fn new_rows(&mut self, resource: &Resource, items: Vec<Tree>) -> Result<Vec<NewRow>> {
        let rows = items.into_iter().map(|item| match item {
            Tree::Object(members) => self.new_row(resource, members),
            _ => Err(Error::bad_value("A row must not be null")),
        });
        rows.collect()
    }

    /// The columns that an input names, each with a slot, and the rows that belong to it.
    fn new_row(&mut self, resource: &Resource, members: Vec<(String, Tree)>) -> Result<NewRow> {
        let null = Leaf { value: Argument::Null, decides: false, origin: Origin::Literal };
        let mut row = NewRow { columns: Vec::with_capacity(members.len()), children: Vec::new() };
        for (field, tree) in members {
            if let Some(column) = resource.columns.iter().find(|column| column.field == field) {
                let slot = match tree {
                    Tree::Leaf(leaf) => self.slot(&leaf),
                    _ => self.slot(&null),
                };
                row.columns.push((column.name.clone(), slot));
                continue;
            }
            let relation = resource.relations.iter().find(|relation| relation.field == field);
            let relation = relation.ok_or_else(|| Error::internal(format!("{field} is no column")))?;
            if let Tree::List(items) = tree {
                let rows = self.new_rows(self.context.catalog.at(relation.target), items)?;
                row.children.push((relation.name.clone(), rows));
            }
        }
        Ok(row)
    }

    fn conflict(&self, resource: &Resource, field: &Field) -> Result<Option<Conflict>> {
        let ty = format!("{}OnConflict", resource.names.type_name);
        let Some(Tree::Object(members)) = self.argument(field, "onConflict", &ty)? else { return Ok(None) };
        let (mut target, mut update, mut ignores) = (None, None, false);
        for (name, tree) in members {
            match (name.as_str(), tree) {
                ("target", Tree::Leaf(leaf)) => target = Some(columns(resource, &leaf.value)?),
                ("update", Tree::Leaf(leaf)) => update = Some(columns(resource, &leaf.value)?),
                ("action", Tree::Leaf(leaf)) => ignores = leaf.value.text() == Some("IGNORE"),
                ("action", _) => return Err(Error::bad_value("action must not be null").field("action")),
                _ => {}
            }
        }
        if ignores && update.is_some() {
            return Err(Error::bad_value("update names columns, and action IGNORE writes none").field("update"));
        }
        let action = if ignores { OnTaken::Ignore { told: true } } else { OnTaken::Update(update) };
        Ok(Some(Conflict { target, action }))
    }

    /// The fields of what a write of several rows has done, and their cost.
    fn result(&mut self, index: usize, fields: &[&'a Field], rows: u64) -> Result<(Vec<Select>, Envelope, u64)> {
        let type_name = format!("{}MutationResult", self.context.catalog.at(index).names.type_name);
        let (mut select, mut parts, mut cost) = (Vec::new(), Vec::new(), 1u64);
        for (alias, fields) in self.collect(&sets(fields), &type_name, 2)? {
            let kind = match fields[0].name.node.as_str() {
                "nodes" => {
                    let (row, own) = self.row(index, &fields, 3)?;
                    cost = cost.saturating_add(own.saturating_mul(rows));
                    let start = select.len();
                    select.extend(row);
                    PartKind::Nodes(start..select.len())
                }
                "affected" => {
                    cost = cost.saturating_add(1);
                    PartKind::Affected
                }
                _ => PartKind::TypeName(type_name.clone()),
            };
            parts.push(Part { alias, kind });
        }
        Ok((select, Envelope::Connection(parts), cost))
    }

    /// A field that has to do with signing in; none if it has not.
    fn signing(&mut self, name: &str, fields: &[&'a Field]) -> Result<Option<(RootKind, u64)>> {
        let field = fields[0];
        let by = match name {
            "register" => {
                let [email, password, name] = self.members(field, "RegisterInput!", ["email", "password", "name"])?;
                SignIn::Register { email, password, name }
            }
            "login" => {
                let [email, password] = self.members(field, "LoginInput!", ["email", "password"])?;
                SignIn::Login { email, password }
            }
            "refresh" => SignIn::Refresh(self.text(field, "refreshToken")?),
            "changePassword" => SignIn::ChangePassword {
                current: self.text(field, "currentPassword")?,
                new: self.text(field, "newPassword")?,
            },
            "logout" => return Ok(Some((RootKind::Logout(self.text(field, "refreshToken")?), 1))),
            _ => return Ok(None),
        };
        self.session(by, fields).map(Some)
    }

    /// Where the members of a field's input come from; null for what is left out.
    fn members<const N: usize>(&self, field: &Field, ty: &str, names: [&str; N]) -> Result<[Source; N]> {
        let Some(Tree::Object(members)) = self.argument(field, "input", ty)? else { return Err(required("input")) };
        Ok(names.map(|name| match members.iter().find(|(member, _)| member == name) {
            Some((_, Tree::Leaf(leaf))) => Source::from(leaf),
            _ => Source::Literal(Argument::Null),
        }))
    }

    /// Where an argument comes from that is a text.
    fn text(&self, field: &Field, name: &str) -> Result<Source> {
        match self.argument(field, name, "String!")? {
            Some(Tree::Leaf(leaf)) => Ok(Source::from(&leaf)),
            _ => Err(required(name)),
        }
    }

    /// A session by the way `by`, and what is told of it.
    fn session(&mut self, by: SignIn, fields: &[&'a Field]) -> Result<(RootKind, u64)> {
        let catalog = self.context.catalog;
        let mut parts = Vec::new();
        let mut cost = 1u64;
        for (key, fields) in self.collect(&sets(fields), "Session", 2)? {
            cost = cost.saturating_add(1);
            let part = match fields[0].name.node.as_str() {
                "accessToken" => SessionPart::AccessToken,
                "tokenType" => SessionPart::TokenType,
                "expiresIn" => SessionPart::ExpiresIn,
                "refreshToken" => SessionPart::RefreshToken,
                "user" => {
                    let principals = catalog.resources().iter().position(|resource| resource.principals);
                    let index = principals.ok_or_else(|| Error::internal("nobody can sign in"))?;
                    let (select, own) = self.row(index, &fields, 3)?;
                    cost = cost.saturating_add(own);
                    let action = Action::Get(Key::Caller);
                    SessionPart::User(Box::new(self.asked(catalog.at(index), action, select, Envelope::Object)))
                }
                _ => SessionPart::TypeName,
            };
            parts.push((key, part));
        }
        Ok((RootKind::Session(SessionField { by, fields: parts }), cost))
    }
}

/// How many rows belong to the new ones.
fn below(create: &Create) -> u64 {
    create.rows.iter().map(NewRow::below).sum::<usize>() as u64
}

/// The columns in a list of members of the resource's enum of columns.
fn columns(resource: &Resource, value: &Argument) -> Result<Vec<String>> {
    let items = match value {
        Argument::List(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let column = |item: &Argument| {
        let text = item.text().unwrap_or_default();
        let found = resource.columns.iter().find(|column| column.name.to_uppercase() == text);
        found.map(|column| column.name.clone()).ok_or_else(|| Error::bad_value("A column must not be null"))
    };
    items.iter().map(column).collect()
}

fn required(name: &str) -> Error {
    Error::bad_value(format!("{name} is required")).field(name)
}
