//! The fields of `Mutation` and their inputs.

use super::{Member, Types, about, argument, nullable, object_field, output_type};
use crate::{
    catalog::{
        Column, Resource,
        policy::{Condition, Grant},
    },
    engine::plan::{MAX_NESTED, create_columns, merges, nested, update_columns},
};
use async_graphql::dynamic::{Field, InputValue, Object};

impl Types<'_> {
    pub(super) fn mutations(&mut self, mutation: Object, resource: &Resource) -> Object {
        let policy = &resource.policy;
        let granted = |grant: &Grant| grant.condition != Condition::Never;
        let (updates, deletes) = (granted(&policy.update), granted(&policy.delete));
        let mut mutation = mutation;
        if granted(&policy.create) {
            mutation = self.create(mutation, resource);
        }
        if updates {
            mutation = self.update(mutation, resource);
        }
        if deletes {
            mutation = self.delete(mutation, resource);
        }
        if updates || deletes {
            let name = &resource.names.type_name;
            let text = format!("What a write of several rows of {} has done.", resource.name);
            let nodes = "The rows, in the order of their keys; what they were, if they are deleted.";
            self.register(
                Object::new(format!("{name}MutationResult"))
                    .description(text)
                    .field(object_field("affected", "Int!", "How many rows were written."))
                    .field(object_field("nodes", &format!("[{name}!]!"), nodes)),
            );
        }
        mutation
    }

    fn create(&mut self, mutation: Object, resource: &Resource) -> Object {
        let names = &resource.names;
        let (name, plural) = (&names.type_name, &names.type_plural);
        let input = format!("Create{name}Input");
        self.new_row(&input, resource, None, 1);
        let columns = resource.columns.iter();
        let columns = columns.map(|column| (column.name.to_uppercase(), about(resource, column))).collect();
        self.enumeration(&format!("{name}Column"), &format!("A column of {}.", resource.name), columns);
        let list = format!("[{name}Column!]");
        let spelt = |columns: &Vec<usize>| {
            let names = columns.iter().map(|column| resource.columns[*column].name.to_uppercase());
            format!("`{}`", names.collect::<Vec<_>>().join(" "))
        };
        let sets = resource.unique.iter().map(spelt).collect::<Vec<_>>().join(", or ");
        let member = |name: &str, ty: &str, text: String| (name.to_owned(), ty.to_owned(), text);
        let members = vec![
            member("target", &list, format!("The columns whose values are taken: {sets}. The key without.")),
            member("action", "ConflictAction! = UPDATE", "What becomes of the new row.".to_owned()),
            member(
                "update",
                &list,
                "Which columns the row that is there gets of the input; all that an update may write without."
                    .to_owned(),
            ),
        ];
        let conflict = format!("{name}OnConflict");
        let text = format!("What becomes of a new row of {} whose values are taken.", resource.name);
        self.input_object(&conflict, &text, members, false);
        let on_conflict =
            || argument("onConflict", &conflict, "What becomes of it if its values are taken; an error without.");
        let one =
            object_field(&format!("create{name}"), &format!("{name}!"), &format!("Adds a row to {}.", resource.name))
                .argument(argument("input", &format!("{input}!"), "The new row."))
                .argument(on_conflict());
        let text = format!("Adds rows to {}, and tells of each of them, in their order.", resource.name);
        let many = object_field(&format!("create{plural}"), &format!("[{name}!]!"), &text)
            .argument(argument("input", &format!("[{input}!]!"), "The new rows."))
            .argument(on_conflict());
        mutation.field(one).field(many)
    }

    /// The input of a new row, with those of the rows that can be made together with it: each has a type of its own, so
    /// that they end somewhere. `foreign` is the column that says to which row it belongs, if it is one of those.
    fn new_row(&mut self, input: &str, resource: &Resource, foreign: Option<usize>, depth: usize) {
        let foreign = foreign.map(|column| resource.columns[column].name.as_str());
        let mut members: Vec<Member> = Vec::new();
        if merges(resource) && foreign.is_none() {
            let key = resource.key_column();
            let text = "The key of a row that is there: only with `onConflict` on the key, for the server gives new ones theirs.";
            members.push((key.field.clone(), "ID".to_owned(), text.to_owned()));
        }
        let columns = create_columns(resource).filter(|column| Some(column.name.as_str()) != foreign);
        members.extend(columns.map(|column| self.member(resource, column, !column.required())));
        if depth < MAX_NESTED {
            let catalog = self.catalog;
            for relation in nested(catalog, resource) {
                let target = catalog.at(relation.target);
                let field = heck::AsUpperCamelCase(&relation.field);
                let below = format!("{}{field}Input", input.trim_end_matches("Input"));
                self.new_row(&below, target, Some(relation.foreign), depth + 1);
                let text = format!("New rows of {} that belong to it.", target.name);
                members.push((relation.field.clone(), format!("[{below}!]"), text));
            }
        }
        let text = match foreign {
            Some(_) => format!("A new row of {} that belongs to another new row.", resource.name),
            None => format!("A new row of {}.", resource.name),
        };
        self.input_object(input, &text, members, false);
    }

    fn update(&mut self, mutation: Object, resource: &Resource) -> Object {
        let names = &resource.names;
        let name = &names.type_name;
        let members: Vec<_> = update_columns(resource).map(|column| self.member(resource, column, true)).collect();
        let input = format!("Update{name}Input");
        let text = format!("What changes in a row of {}; what is left out stays.", resource.name);
        self.input_object(&input, &text, members, false);
        let set = || argument("set", &format!("{input}!"), "What changes.");
        let text = format!("Changes a row of {}.", resource.name);
        let one = object_field(&format!("update{name}"), &format!("{name}!"), &text).argument(key()).argument(set());
        let text = format!("Changes the rows of {} that match.", resource.name);
        let many = matching("update", resource, &text).argument(set());
        mutation.field(in_state(one, resource)).field(many)
    }

    fn delete(&self, mutation: Object, resource: &Resource) -> Object {
        let name = &resource.names.type_name;
        let text = format!("Deletes a row of {}, and tells what it was.", resource.name);
        let one = object_field(&format!("delete{name}"), &format!("{name}!"), &text).argument(key());
        let text = format!("Deletes the rows of {} that match, and tells what they were.", resource.name);
        mutation.field(in_state(one, resource)).field(matching("delete", resource, &text))
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
            .field(object_field("refreshToken", "String!", "Gets the next tokens, once: `refresh` gives another one."))
            .field(object_field("user", &format!("{}!", resource.names.type_name), "Who signed in."));
        self.register(session);
        let input = |ty: &str| argument("input", &format!("{ty}!"), "Who.");
        let token = || argument("refreshToken", "String!", "The refresh token of the session.");
        let session = |name: &str, text: &str| object_field(name, "Session!", text);
        let register = session("register", "Makes an account and signs it in.").argument(input("RegisterInput"));
        let login = session("login", "Signs a user in.").argument(input("LoginInput"));
        let refresh = "Goes on with a session: new tokens for its refresh token, which is good for one time. Used a second \
            time, it ends the session.";
        let logout = "Ends a session, and its access tokens within seconds. True, whether or not there was one.";
        let password = "Changes the caller's password. All sessions of the caller end, and this is a new one.";
        let password = session("changePassword", password)
            .argument(argument("currentPassword", "String!", "The password as it is."))
            .argument(argument("newPassword", "String!", "Another: 12 to 128 characters, not easily guessed."));
        mutation
            .field(register)
            .field(login)
            .field(session("refresh", refresh).argument(token()))
            .field(object_field("logout", "Boolean!", logout).argument(token()))
            .field(password)
    }
}

fn key() -> InputValue {
    argument("id", "ID!", "The key of the row.")
}

/// A field that writes all rows that match.
fn matching(verb: &str, resource: &Resource, text: &str) -> Field {
    let (name, plural) = (&resource.names.type_name, &resource.names.type_plural);
    let most = "How many rows they may be: if more match, nothing is written.";
    object_field(&format!("{verb}{plural}"), &format!("{name}MutationResult!"), text)
        .argument(argument("filter", &format!("{name}Filter!"), "Which rows."))
        .argument(argument("atMost", "Int! = 1", most))
}

/// A field that writes its row only if nobody else has meanwhile.
fn in_state(field: Field, resource: &Resource) -> Field {
    let Some(column) = resource.touched() else { return field };
    let text = format!("The `{}` that the row must have still; without, it is written in any state.", column.field);
    field.argument(argument("ifUpdatedAt", "DateTime", &text))
}
