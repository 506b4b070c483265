//! The fields of `Mutation` and their inputs.

use super::{Member, Types, about, argument, nullable, object_field, output_type};
use crate::{
    catalog::{Column, Resource, policy::Condition},
    engine::plan::{create_columns, update_columns},
};
use async_graphql::dynamic::Object;

impl Types<'_> {
    pub(super) fn mutations(&mut self, mut mutation: Object, resource: &Resource) -> Object {
        let (name, policy) = (&resource.names.type_name, &resource.policy);
        let field = |verb: &str, text: String| object_field(&format!("{verb}{name}"), &format!("{name}!"), &text);
        let key = || argument("id", "ID!", "The key of the row.");
        if policy.create.condition != Condition::Never {
            let members: Vec<_> =
                create_columns(resource).map(|column| self.member(resource, column, !column.required())).collect();
            let input = format!("Create{name}Input");
            self.input_object(&input, &format!("A new row of {}.", resource.name), members, false);
            let create = field("create", format!("Adds a row to {}.", resource.name));
            mutation = mutation.field(create.argument(argument("input", &format!("{input}!"), "The new row.")));
        }
        if policy.update.condition != Condition::Never {
            let members: Vec<_> = update_columns(resource).map(|column| self.member(resource, column, true)).collect();
            let input = format!("Update{name}Input");
            self.input_object(
                &input,
                &format!("What changes in a row of {}; what is left out stays.", resource.name),
                members,
                false,
            );
            let update = field("update", format!("Changes a row of {}.", resource.name));
            mutation =
                mutation.field(update.argument(key()).argument(argument("set", &format!("{input}!"), "What changes.")));
        }
        if policy.delete.condition != Condition::Never {
            let delete = field("delete", format!("Deletes a row of {}, and tells what it was.", resource.name));
            mutation = mutation.field(delete.argument(key()));
        }
        mutation
    }

    fn member(&self, resource: &Resource, column: &Column, optional: bool) -> Member {
        let index = resource.column(&column.name).unwrap_or_default();
        (column.field.clone(), nullable(output_type(resource, index), optional), about(resource, column))
    }

    /// What has to do with signing in, where the catalogue has a resource of principals.
    pub(super) fn session(&mut self, mutation: Object) -> Object {
        let Some(resource) = self.catalog.resources().iter().find(|resource| resource.principals) else {
            return mutation;
        };
        let member = |name: &str, ty: &str, text: &str| (name.to_owned(), ty.to_owned(), text.to_owned());
        let credentials = [
            member("email", "String!", "The e-mail address, without regard to case."),
            member("password", "String!", "The password: 12 to 128 characters, not easily guessed."),
        ];
        self.input_object("LoginInput", "What signs a user in.", credentials.to_vec(), false);
        let mut registration = credentials.to_vec();
        registration.push(member("name", "String", "How the user is called."));
        self.input_object("RegisterInput", "A new account.", registration, false);
        let session = Object::new("Session")
            .description("What a client needs to go on as a user.")
            .field(object_field("accessToken", "String!", "Sent with each request: `Authorization: Bearer …`."))
            .field(object_field("tokenType", "String!", "Always `bearer`."))
            .field(object_field("expiresIn", "Int!", "In how many seconds the access token expires."))
            .field(object_field("user", &format!("{}!", resource.names.type_name), "Who signed in."));
        self.register(session);
        let field = |name: &str, input: &str, text: &str| {
            object_field(name, "Session!", text).argument(argument("input", &format!("{input}!"), "Who."))
        };
        mutation.field(field("register", "RegisterInput", "Makes an account and signs it in.")).field(field(
            "login",
            "LoginInput",
            "Signs a user in.",
        ))
    }
}
