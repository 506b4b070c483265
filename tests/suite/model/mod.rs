//! The engine against a model of it: thousands of random requests, by both protocols and on both databases, must get
//! the answers that plain rows in memory give.
//!
//! In: a seed. Out: nothing, or the seed, the number of the case, the request and the difference. `ROOTSTOCK_SEED` and
//! `ROOTSTOCK_CASES` make longer runs; `ROOTSTOCK_CASE` runs one case alone.
//!
//! The model is the specification written a second time, in the simplest way there is: it uses no code of the program.

mod act;
mod answer;
mod apply;
mod ask;
mod conditions;
mod embed;
mod filter;
mod graphql;
mod groups;
mod measure;
mod random;
mod reads;
mod request;
mod rest;
mod run;
mod schema;
mod value;
mod view;
mod walks;
mod world;
mod writes;

/// What the generators may ask for. What the program does not have yet is off; it is switched on by one word below.
#[derive(Debug, Clone, Copy)]
struct Features {
    /// Filters through relations: a to-one relation, `some`, `none`, `every`.
    related: bool,
    /// Filters by what is measured of related rows.
    measured: bool,
    /// Order by a column of a to-one relation.
    order: bool,
    /// Order by what is measured of related rows.
    measured_order: bool,
    /// `aggregate` of a connection.
    aggregates: bool,
    /// `groups` of a connection.
    groups: bool,
    /// `fill` of groups.
    fill: bool,
    /// `fill` where there are other keys: outside of its span, no bucket is told in which no row falls.
    fill_across: bool,
    /// `startsWith`, `endsWith`, `contains`.
    words: bool,
    /// `match` and `imatch`.
    expressions: bool,
    /// `search` and `plfts`.
    search: bool,
    /// Paths into JSON.
    paths: bool,
    /// `isdistinct` in REST.
    rest_distinct: bool,
    /// `eq(any).{…}` in REST.
    rest_each: bool,
    /// `order=user(name)` in REST.
    rest_order: bool,
    /// `select=category,amount.sum()` in REST.
    rest_aggregates: bool,
    /// Writes of several rows: by a list of inputs, and by a filter.
    writes: bool,
    /// `onConflict`, and `resolution` in REST.
    upserts: bool,
    /// `ifUpdatedAt`.
    states: bool,
    /// A row that is replaced keeps what the caller may not set, as it keeps what no caller may.
    kept: bool,
    /// Several fields in one document, of which one is heavy: on SQLite they must not spend one another's budget.
    together: bool,
    /// A list of which its `__typename` is asked and nothing else.
    bare: bool,
    /// A sum is compared with what no value of its column can be.
    wide: bool,
}

const FEATURES: Features = Features {
    related: true,
    measured: true,
    order: true,
    measured_order: true,
    aggregates: true,
    groups: true,
    fill: true,
    fill_across: true,
    words: true,
    expressions: true,
    search: true,
    paths: true,
    rest_distinct: true,
    rest_each: true,
    rest_order: true,
    rest_aggregates: true,
    writes: true,
    upserts: true,
    states: true,
    kept: true,
    together: true,
    bare: true,
    wide: true,
};
