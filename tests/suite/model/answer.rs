//! The answer that GraphQL must give to a request, to the byte.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{
    measure::by_name,
    request::{Connection, Field, Measure, Part, Root},
    schema::{TABLES, USERS, camel, closed},
    value::{Kind, Value, string},
    view::View,
    world::Row,
};

/// Members as an object.
pub(super) fn object(members: impl IntoIterator<Item = (String, String)>) -> String {
    let members: Vec<_> = members.into_iter().map(|(name, value)| format!("{}:{value}", string(&name))).collect();
    format!("{{{}}}", members.join(","))
}

fn array(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(","))
}

/// A column's value in GraphQL, where keys are strings.
fn cell(table: usize, column: usize, row: &Row) -> String {
    let kind = TABLES[table].columns[column].kind;
    match (column, kind) {
        (0, Kind::Int) => string(&row[0].plain(kind)),
        _ => row[column].json(kind, true),
    }
}

impl<'w> View<'w> {
    /// The value of a root field; none if the caller must sign in for it.
    pub(super) fn root(&self, root: &Root) -> Option<String> {
        let row = |table: usize, key: Option<&Value>, fields: &[(String, Field)]| {
            let found = self.rows(table).into_iter().find(|row| Some(&row[0]) == key);
            found.map_or_else(|| "null".to_owned(), |row| self.row(table, row, fields))
        };
        Some(match root {
            Root::List(connection) if closed(self.caller, connection.list.table) => return None,
            Root::List(connection) => self.connection(connection, self.rows(connection.list.table)),
            Root::Row(table, ..) if closed(self.caller, *table) => return None,
            // A global id tells nothing of its row: it is null for whoever does not see it.
            Root::Row(table, key, fields) | Root::Node(table, key, fields) => row(*table, Some(key), fields),
            Root::Me(fields) => row(USERS, self.world.me(self.caller), fields),
        })
    }

    fn connection(&self, connection: &Connection, rows: Vec<&'w Row>) -> String {
        let table = connection.list.table;
        let rows = self.list(&connection.list, rows);
        let cut = self.cut(&connection.list, &rows);
        object(connection.parts.iter().map(|(name, part)| {
            let value = match part {
                Part::TotalCount => rows.len().to_string(),
                Part::TypeName => format!("\"{}Connection\"", TABLES[table].type_name),
                Part::Nodes(fields) => array(cut.rows.iter().map(|row| self.row(table, row, fields))),
                Part::Edges(fields) => {
                    array(cut.rows.iter().map(|row| object([("node".to_owned(), self.row(table, row, fields))])))
                }
                Part::PageInfo => {
                    format!("{{\"hasNextPage\":{},\"hasPreviousPage\":{}}}", cut.behind, cut.before)
                }
                Part::Aggregate(measures) => object(measured(table, measures, &rows)),
                Part::Groups(groups) => array(groups.of(table, &rows)),
            };
            (name.clone(), value)
        }))
    }

    /// The fields of a row.
    pub(super) fn row(&self, table: usize, row: &Row, fields: &[(String, Field)]) -> String {
        object(fields.iter().map(|(name, field)| {
            let value = match field {
                Field::Column(column) => cell(table, *column, row),
                Field::TypeName => format!("\"{}\"", TABLES[table].type_name),
                Field::NodeId => node_id(table, &row[0]),
                Field::One(relation, fields) => {
                    let target = TABLES[table].relations[*relation].target;
                    let related = self.related(table, row, *relation);
                    related.first().map_or_else(|| "null".to_owned(), |row| self.row(target, row, fields))
                }
                Field::Many(relation, connection) => self.connection(connection, self.related(table, row, *relation)),
            };
            (name.clone(), value)
        }))
    }
}

/// The global id of the row with a key, as a JSON string.
pub(super) fn node_id(table: usize, key: &Value) -> String {
    let key = key.plain(TABLES[table].columns[0].kind);
    string(&BASE64_URL_SAFE_NO_PAD.encode(format!("{}:{key}", TABLES[table].name)))
}

/// What is measured of rows, in an object for each measure that has columns.
pub(super) fn measured(table: usize, measures: &[Measure], rows: &[&Row]) -> Vec<(String, String)> {
    let value = |measure: &Measure| measure.of(table, rows).json(measure.kind(table), true);
    by_name(measures)
        .into_iter()
        .map(|(name, measures)| {
            let members = measures.iter().filter_map(|measure| {
                let column = measure.name().1?;
                Some((camel(TABLES[table].columns[column].name), value(measure)))
            });
            let told = if measures[0] == Measure::Count { value(&measures[0]) } else { object(members) };
            (name.to_owned(), told)
        })
        .collect()
}
