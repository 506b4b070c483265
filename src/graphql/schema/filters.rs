//! The input types of filters.

use super::{Types, output_type};
use crate::catalog::{Operator, Resource};

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
                self.operators(&filter, &ty, operators);
            }
            members.push((column.field.clone(), filter, format!("What `{}` must be.", column.field)));
        }
        self.input_object(&name, &format!("Which rows of {} a list has.", resource.name), members, false);
    }

    fn operators(&mut self, name: &str, ty: &str, operators: &[Operator]) {
        let members = operators.iter().map(|operator| {
            let ty = match operator {
                Operator::In | Operator::NotIn => format!("[{ty}!]"),
                Operator::IsNull => "Boolean".to_owned(),
                Operator::Like | Operator::Ilike => "String".to_owned(),
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
