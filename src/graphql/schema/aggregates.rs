//! The types of what rows come to together: aggregates, groups, and the conditions and orders over them.

use super::{
    super::parse::{group_keys, measure_type},
    Member, Types, argument, object_field,
};
use crate::{
    catalog::{Bucket, Function, Operator, Resource, scalar::Scalar},
    engine::request::Term,
};
use async_graphql::dynamic::{Field, Object};

/// A function, and the columns of which it tells something: their fields, and the types of what it tells.
type Measured = (Function, Vec<(String, Scalar)>);

/// What the functions tell of a resource's columns, of the key nothing.
fn measured(resource: &Resource) -> Vec<Measured> {
    let of = |function: Function| {
        let columns = resource.columns.iter().enumerate().filter(|(index, _)| *index != resource.key);
        let columns: Vec<_> =
            columns.filter_map(|(_, column)| Some((column.field.clone(), function.result(&column.scalar)?))).collect();
        (!columns.is_empty()).then_some((function, columns))
    };
    Function::OF_COLUMNS.into_iter().filter_map(of).collect()
}

impl Types<'_> {
    /// The field `groups` of a connection.
    pub(super) fn groups_field(&self, resource: &Resource) -> Field {
        let name = &resource.names.type_name;
        let field = object_field(
            "groups",
            &format!("[{name}Group!]!"),
            "What the rows of the list come to in groups, whatever the page; in the order of the keys without another.",
        )
        .argument(argument("by", &format!("[{name}GroupBy!]!"), "What the rows of a group have in common."))
        .argument(argument("having", &format!("{name}Having"), "Which groups."))
        .argument(argument("orderBy", &format!("[{name}GroupOrderBy!]"), "In which order; the keys break ties."))
        .argument(argument("first", "Int", "How many groups; as many as a page may have without."));
        if !has_buckets(resource) {
            return field;
        }
        let text = "Leaves no bucket out between two days, though no row falls into it.";
        field.argument(argument("fill", &format!("{name}GroupFill"), text))
    }

    /// The types of a resource's aggregates and groups.
    pub(super) fn aggregates(&mut self, resource: &Resource) {
        let (name, table) = (&resource.names.type_name, &resource.name);
        let mut aggregate =
            Object::new(format!("{name}Aggregate")).description(format!("What rows of {table} come to together."));
        let mut group = Object::new(format!("{name}Group"))
            .description(format!("What rows of {table} with keys in common come to."))
            .field(object_field("key", &format!("{name}GroupKey!"), "What the rows have in common."));
        let count = || object_field("count", "Int!", Function::Count.description());
        (aggregate, group) = (aggregate.field(count()), group.field(count()));
        let mut filters = vec![self.count_filter()];
        let mut orders = vec![count_order()];
        for (function, columns) in measured(resource) {
            let ty = measure_type(resource, function);
            let mut object = Object::new(&ty).description(format!("{} By column of {table}.", function.description()));
            for (field, scalar) in &columns {
                self.scalar(scalar);
                let counted = function == Function::CountDistinct;
                let ty = format!("{}{}", scalar.graphql(), if counted { "!" } else { "" });
                object = object.field(object_field(field, &ty, &format!("Of the column `{field}`.")));
            }
            self.register(object);
            let (key, text) = (function.graphql(), function.description());
            aggregate = aggregate.field(object_field(key, &format!("{ty}!"), text));
            group = group.field(object_field(key, &format!("{ty}!"), text));
            filters.push(self.measure_filter(&ty, function, &columns));
            orders.push(self.measure_order(&ty, function, columns));
        }
        self.register(aggregate);
        self.register(group);
        self.conditions(resource, filters);
        self.orders(resource, orders);
        self.keys(resource);
    }

    fn count_filter(&mut self) -> Member {
        let ty = self.operators("Int", Operator::ORDERED);
        (Function::Count.graphql().to_owned(), ty, "What the number of rows must be.".to_owned())
    }

    fn measure_filter(&mut self, ty: &str, function: Function, columns: &[(String, Scalar)]) -> Member {
        let mut members = Vec::with_capacity(columns.len());
        for (field, scalar) in columns {
            let filter = self.operators(scalar.graphql(), scalar.operators());
            members.push((field.clone(), filter, format!("What `{field}` must come to.")));
        }
        let (name, text) = (format!("{ty}Filter"), format!("Conditions on {}.", function.graphql()));
        self.input_object(&name, &text, members, false);
        (function.graphql().to_owned(), name, text)
    }

    fn measure_order(&mut self, ty: &str, function: Function, columns: Vec<(String, Scalar)>) -> Member {
        let member = |(field, _)| {
            let text = format!("By `{field}`.");
            (field, "SortOrder".to_owned(), text)
        };
        let (name, text) = (format!("{ty}OrderBy"), format!("By {} of a column.", function.graphql()));
        self.input_object(&name, &text, columns.into_iter().map(member).collect(), true);
        (function.graphql().to_owned(), name, text)
    }

    /// The conditions on the rows of a relation, and on groups.
    fn conditions(&mut self, resource: &Resource, measures: Vec<Member>) {
        let (name, table) = (&resource.names.type_name, &resource.name);
        let filter = || format!("{name}Filter");
        let mut list = vec![
            ("some".to_owned(), filter(), "This holds of one row at least.".to_owned()),
            ("none".to_owned(), filter(), "This holds of no row.".to_owned()),
            ("every".to_owned(), filter(), "This holds of each row.".to_owned()),
            ("filter".to_owned(), filter(), "Of which rows what stands beside it is told.".to_owned()),
        ];
        list.extend(measures.iter().cloned());
        let text = format!("What holds of related rows of {table}; all that is said holds.");
        self.input_object(&format!("{name}ListFilter"), &text, list, false);
        let having = format!("{name}Having");
        let mut members = vec![
            ("and".to_owned(), format!("[{having}!]"), "All of these hold.".to_owned()),
            ("or".to_owned(), format!("[{having}!]"), "Any of these holds.".to_owned()),
            ("not".to_owned(), having.clone(), "This does not hold.".to_owned()),
        ];
        members.extend(measures);
        self.input_object(&having, &format!("Which groups of {table} are told."), members, false);
    }

    /// The orders by what related rows come to, and of groups.
    fn orders(&mut self, resource: &Resource, measures: Vec<Member>) {
        let (name, table) = (&resource.names.type_name, &resource.name);
        let text = format!("By what related rows of {table} come to.");
        self.input_object(&format!("{name}ListOrderBy"), &text, measures.clone(), true);
        let taken = |field: &str| measures.iter().any(|(name, ..)| name == field);
        let keys = group_keys(resource).into_iter().filter(|(_, field, _)| !taken(field));
        let keys = keys.map(|(_, field, _)| {
            let text = format!("By the key `{field}`, which must be among those of the groups.");
            (field, "SortOrder".to_owned(), text)
        });
        let members = keys.chain(measures.iter().cloned()).collect();
        let text = format!("Something by which groups of {table} are ordered.");
        self.input_object(&format!("{name}GroupOrderBy"), &text, members, true);
    }

    fn keys(&mut self, resource: &Resource) {
        let (name, table) = (&resource.names.type_name, &resource.name);
        let mut object = Object::new(format!("{name}GroupKey"))
            .description(format!("What rows of {table} have in common: the fields that they are grouped by."));
        let mut items = Vec::new();
        for (member, field, key) in group_keys(resource) {
            let Term::Column(name) = &key.term else { continue };
            let Some(index) = resource.column(name) else { continue };
            let column = &resource.columns[index];
            let (ty, text) = match key.bucket {
                Some(bucket) => {
                    self.scalar(&Scalar::Date);
                    ("Date".to_owned(), format!("The first day of the {} of `{}`.", bucket.word(), column.name))
                }
                None => (column.scalar.graphql().to_owned(), format!("The value of `{}`.", column.name)),
            };
            object = object.field(object_field(&field, &ty, &text));
            items.push((member, text));
        }
        self.register(object);
        self.enumeration(&format!("{name}GroupBy"), &format!("By what rows of {table} can be grouped."), items);
        if has_buckets(resource) {
            let member = |name: &str, text: &str| (name.to_owned(), "Date!".to_owned(), text.to_owned());
            let members = vec![
                member("from", "A day of the first bucket."),
                member("to", "A day of the last bucket, not before the first."),
            ];
            let text = "The time in which every bucket is told, with a count of 0 where no row falls into it.";
            self.input_object(&format!("{name}GroupFill"), text, members, false);
        }
    }
}

fn has_buckets(resource: &Resource) -> bool {
    resource.columns.iter().any(|column| Bucket::applies(&column.scalar))
}

fn count_order() -> Member {
    (Function::Count.graphql().to_owned(), "SortOrder".to_owned(), "By the number of rows.".to_owned())
}
