//! The fields of a mutation: writes, and what has to do with signing in.
//!
//! In: a root field of a mutation. Out: a question with its input, or what a session is asked for.

use super::{
    super::{
        operation::{RootKind, SessionField, SessionPart, Source},
        values::{Leaf, Origin, Tree},
    },
    Parser, sets,
};
use crate::{
    catalog::Resource,
    engine::{
        bind::Argument,
        request::{Action, Envelope, Key},
    },
    error::{Error, Result},
};
use async_graphql_parser::types::Field;

impl<'a> Parser<'a> {
    pub(super) fn mutation(&mut self, name: &str, fields: &[&'a Field]) -> Result<(RootKind, u64)> {
        let field = fields[0];
        if name == "login" || name == "register" {
            return self.session(name == "register", fields);
        }
        for (index, resource) in self.context.catalog.resources().iter().enumerate() {
            let type_name = &resource.names.type_name;
            let action = match name.strip_suffix(type_name.as_str()) {
                Some("create") => Action::Create(self.input(resource, field, "input", "Create")?),
                Some("update") => {
                    let key = self.key(field)?;
                    Action::Update(key, self.input(resource, field, "set", "Update")?)
                }
                Some("delete") => Action::Delete(self.key(field)?),
                _ => continue,
            };
            let (select, cost) = self.row(index, fields, 2)?;
            return Ok((RootKind::Question(self.asked(resource, action, select, Envelope::Object)), cost));
        }
        Err(Error::bad_request(format!("Mutation has no field \"{name}\"")))
    }

    /// The columns that an input names, each with a slot.
    fn input(&mut self, resource: &Resource, field: &Field, name: &str, verb: &str) -> Result<Vec<(String, usize)>> {
        let ty = format!("{verb}{}Input!", resource.names.type_name);
        let Some(Tree::Object(members)) = self.argument(field, name, &ty)? else {
            return Err(Error::bad_value(format!("{name} is required")).field(name));
        };
        let null = Leaf { value: Argument::Null, decides: false, origin: Origin::Literal };
        let mut input = Vec::with_capacity(members.len());
        for (field, tree) in members {
            let column = resource.columns.iter().find(|column| column.field == field);
            let column = column.ok_or_else(|| Error::internal(format!("{field} is no column")))?;
            let slot = match tree {
                Tree::Leaf(leaf) => self.slot(&leaf),
                _ => self.slot(&null),
            };
            input.push((column.name.clone(), slot));
        }
        Ok(input)
    }

    fn session(&mut self, register: bool, fields: &[&'a Field]) -> Result<(RootKind, u64)> {
        let ty = if register { "RegisterInput!" } else { "LoginInput!" };
        let Some(Tree::Object(members)) = self.argument(fields[0], "input", ty)? else {
            return Err(Error::bad_value("input is required").field("input"));
        };
        let source = |name: &str| {
            members.iter().find(|(member, _)| member == name).and_then(|(_, tree)| match tree {
                Tree::Leaf(leaf) => Some(Source::from(leaf)),
                _ => None,
            })
        };
        let empty = || Source::Literal(Argument::Null);
        let (email, password) = (source("email").unwrap_or_else(empty), source("password").unwrap_or_else(empty));
        let name = source("name");
        let catalog = self.context.catalog;
        let mut parts = Vec::new();
        let mut cost = 1u64;
        for (key, fields) in self.collect(&sets(fields), "Session", 2)? {
            cost = cost.saturating_add(1);
            let part = match fields[0].name.node.as_str() {
                "accessToken" => SessionPart::AccessToken,
                "tokenType" => SessionPart::TokenType,
                "expiresIn" => SessionPart::ExpiresIn,
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
        let kind = RootKind::Session(SessionField { register, email, password, name, fields: parts });
        Ok((kind, cost))
    }
}
