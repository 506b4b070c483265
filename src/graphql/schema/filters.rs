//! The input types of filters.

use super::{Types, output_type};
use crate::catalog::{Cardinality, Operator, Resource, scalar::Scalar};

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
            let filter = self.operators(&ty, column.scalar.operators());
            members.push((column.field.clone(), filter, format!("What `{}` must be.", column.field)));
        }
        for relation in &resource.relations {
            let target = &self.catalog.at(relation.target).names.type_name;
            let (ty, text) = match relation.cardinality {
                Cardinality::One => (
                    format!("{target}Filter"),
                    format!("What holds of its `{}`; that there is one, if empty.", relation.field),
                ),
                Cardinality::Many => {
                    (format!("{target}ListFilter"), format!("What holds of its `{}`.", relation.field))
                }
            };
            members.push((relation.field.clone(), ty, text));
        }
        self.input_object(&name, &format!("Which rows of {} a list has.", resource.name), members, false);
    }

    /// The filter of values of the type `ty`, registered once; its name.
    pub(super) fn operators(&mut self, ty: &str, operators: &[Operator]) -> String {
        let name = format!("{ty}Filter");
        if !self.first(&name) {
            return name;
        }
        let members = operators.iter().map(|operator| {
            let ty = match operator {
                Operator::In | Operator::NotIn => format!("[{ty}!]"),
                Operator::IsNull => "Boolean".to_owned(),
                Operator::Like | Operator::Ilike => "String".to_owned(),
                _ => ty.to_owned(),
            };
            (operator.graphql().to_owned(), ty, operator.description().to_owned())
        });
        let description = format!("What a value of type {ty} must be; all that is said holds.");
        self.input_object(&name, &description, members.collect(), false);
        name
    }

    /// The input type of an element of an order of rows.
    pub(super) fn order(&mut self, resource: &Resource) {
        let columns = resource.columns.iter().filter(|column| column.scalar != Scalar::Json);
        let columns =
            columns.map(|column| (column.field.clone(), "SortOrder".to_owned(), format!("By `{}`.", column.field)));
        let relations = resource.relations.iter().map(|relation| {
            let target = &self.catalog.at(relation.target).names.type_name;
            match relation.cardinality {
                Cardinality::One => (
                    relation.field.clone(),
                    format!("{target}OrderBy"),
                    format!("By something of its `{}`.", relation.field),
                ),
                Cardinality::Many => {
                    let text = format!("By what its `{}` come to.", relation.field);
                    (relation.field.clone(), format!("{target}ListOrderBy"), text)
                }
            }
        });
        let members = columns.chain(relations).collect();
        let name = &resource.names.type_name;
        let description = format!("Something by which a list of {} is ordered.", resource.name);
        self.input_object(&format!("{name}OrderBy"), &description, members, true);
    }
}
