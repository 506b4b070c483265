//! The input types of filters.

use super::{Member, Types, output_type};
use crate::catalog::{
    Operator, Resource,
    scalar::{JsonKind, Scalar},
};

impl Types<'_> {
    pub(super) fn filter(&mut self, resource: &Resource) {
        let name = format!("{}Filter", resource.names.type_name);
        let mut members = vec![
            ("and".to_owned(), format!("[{name}!]"), "All of these hold.".to_owned()),
            ("or".to_owned(), format!("[{name}!]"), "Any of these holds.".to_owned()),
            ("not".to_owned(), name.clone(), "This does not hold.".to_owned()),
        ];
        for (index, column) in resource.columns.iter().enumerate() {
            let ty = output_type(resource, index);
            let operators = column.scalar.operators();
            let filter = format!("{ty}Filter");
            if self.first(&filter) {
                if column.scalar == Scalar::Json {
                    self.json_filters(&filter);
                } else {
                    self.operators(&filter, &ty, operators);
                }
            }
            members.push((column.field.clone(), filter, format!("What `{}` must be.", column.field)));
        }
        self.input_object(&name, &format!("Which rows of {} a list has.", resource.name), members, false);
    }

    /// The filters of JSON columns: of the value, and of what paths lead to in it.
    fn json_filters(&mut self, name: &str) {
        let member = |name: &str, ty: &str, text: &str| -> Member { (name.to_owned(), ty.to_owned(), text.to_owned()) };
        let text = "A value in a JSON value, by the path to it; all that is said holds.";
        let mut members = vec![member(
            "path",
            "[String!]!",
            "The names of members, and the indexes of elements from 0, that lead to it: 10 at most.",
        )];
        for (kind, text) in [
            (
                JsonKind::Text,
                "As a text: a string as it is, a number as it is written, true or false; NULL for others.",
            ),
            (JsonKind::Number, "As a number; NULL where it is none."),
            (JsonKind::Boolean, "As a boolean; NULL where it is none."),
        ] {
            let scalar = kind.scalar();
            let filter = format!("{}Filter", scalar.graphql());
            if self.first(&filter) {
                self.operators(&filter, scalar.graphql(), scalar.operators());
            }
            members.push(member(kind.name(), &filter, text));
        }
        members.push(member("isNull", "Boolean", "null or not there if true; there if false."));
        self.input_object("JSONPathFilter", text, members, false);
        let members = vec![
            member("isNull", "Boolean", Operator::IsNull.description()),
            member("at", "[JSONPathFilter!]", "What values in it must be."),
        ];
        self.input_object(name, "What a value of type JSON must be; all that is said holds.", members, false);
    }

    fn operators(&mut self, name: &str, ty: &str, operators: &[Operator]) {
        let members = operators.iter().map(|operator| {
            let ty = match operator {
                Operator::In | Operator::NotIn => format!("[{ty}!]"),
                Operator::IsNull => "Boolean".to_owned(),
                operator if operator.reads_text() => "String".to_owned(),
                _ => ty.to_owned(),
            };
            (operator.graphql().to_owned(), ty, operator.description().to_owned())
        });
        self.input_object(
            name,
            &format!("What a value of type {ty} must be; all that is said holds."),
            members.collect(),
            false,
        );
    }
}
