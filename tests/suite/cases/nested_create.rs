//! A new row together with those that belong to it: one field, one transaction, the rules of each.

use crate::{
    graft,
    support::{Caller::*, Dialect, Server},
};
use serde_json::{Value, json};

const CREATE: &str = "mutation ($input: CreateSpeciesInput!) { createSpecies(input: $input) {
    name ownerId children(orderBy: { name: ASC }) { nodes { name ownerId parent { name } children { nodes { name } } } } } }";

async fn on_all(case: impl AsyncFn(&Server)) {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        case(&graft::server(dialect).await).await;
    }
}

async fn count(server: &Server) -> Value {
    server.data(Admin, "{ speciesList { totalCount } }").await["speciesList"]["totalCount"].take()
}

fn species(name: &str, children: Value) -> Value {
    json!({ "name": name, "traits": 1, "children": children })
}

#[tokio::test]
async fn what_is_wrong_with_a_row_below_is_told_with_its_path() {
    on_all(async |server| {
        let wrong = species(
            "Oak",
            json!([species("a", json!([])), species("", json!([{ "name": "x".repeat(51), "traits": 1 }]))]),
        );
        let answer = server.graphql(User, CREATE, json!({ "input": wrong })).await.refused("BAD_USER_INPUT");
        let fields: Vec<_> = answer.errors()[0]["extensions"]["fields"].as_array().unwrap().clone();
        let fields: Vec<_> = fields.iter().map(|field| field["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["children.1.name", "children.1.children.0.name"]);
        // What the schema refuses is told in the same way.
        for (below, field) in [
            (json!({ "name": null, "traits": 1 }), "name"),
            (json!({ "naem": "a" }), "naem"),
            (json!({ "traits": 1 }), "name"),
        ] {
            let input = species("Oak", json!([species("a", json!([])), below]));
            let answer = server.graphql(User, CREATE, json!({ "input": input })).await.refused("BAD_USER_INPUT");
            assert_eq!(answer.errors()[0]["extensions"]["field"], format!("children.1.{field}"), "{}", answer.text);
        }
        // In a list of rows, behind the row's number.
        let many = "mutation ($rows: [CreateSpeciesInput!]!) { createSpeciesList(input: $rows) { name } }";
        let rows = json!([species("Oak", json!([])), species("Ash", json!([{ "name": "", "traits": 1 }]))]);
        let answer = server.graphql(User, many, json!({ "rows": rows })).await.refused("BAD_USER_INPUT");
        assert_eq!(answer.errors()[0]["extensions"]["field"], "input.1.children.0.name");
        // A taken key below undoes all; who may not set a column may not set it below either.
        let id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
        let twice =
            species("Oak", json!([{ "id": id, "name": "a", "traits": 1 }, { "id": id, "name": "b", "traits": 1 }]));
        let answer = server.graphql(User, CREATE, json!({ "input": twice })).await.refused("CONFLICT");
        assert_eq!(answer.errors()[0]["extensions"]["field"], "children.1.id");
        let ranked = species("Oak", json!([{ "name": "a", "traits": 1, "rank": 1 }]));
        server.graphql(User, CREATE, json!({ "input": ranked })).await.refused("FORBIDDEN");
        // The row above says whose they are, and below the third level there is none.
        let owned = species("Oak", json!([{ "name": "a", "traits": 1, "parentId": id }]));
        server.graphql(User, CREATE, json!({ "input": owned })).await.refused("BAD_USER_INPUT");
        let deep = species("1", json!([species("2", json!([species("3", json!([]))]))]));
        server.graphql(User, CREATE, json!({ "input": deep })).await.refused("BAD_USER_INPUT");
        let with = "mutation ($input: CreateSpeciesInput!) { createSpecies(input: $input, onConflict: {}) { name } }";
        let input = species("Oak", json!([{ "name": "a", "traits": 1 }]));
        server.graphql(User, with, json!({ "input": input })).await.refused("BAD_USER_INPUT");
        server.graphql(Anonymous, CREATE, json!({ "input": input })).await.refused("UNAUTHENTICATED");
        let rows: Vec<_> = (0..4990).map(|_| json!({ "name": "a", "traits": 1 })).collect();
        server
            .graphql(User, CREATE, json!({ "input": species("Oak", json!(rows)) }))
            .await
            .refused("COST_LIMIT_EXCEEDED");
        assert_eq!(count(server).await, 0);
    })
    .await;
}

#[tokio::test]
async fn rows_are_made_with_those_that_belong_to_them() {
    on_all(async |server| {
        let input = species(
            "Oak",
            json!([
                { "name": "Red", "traits": 1, "children": [{ "name": "Small", "traits": 2 }, { "name": "Large", "traits": 2 }] },
                { "name": "White", "traits": { "a": 1 } },
            ]),
        );
        let made = server.graphql(User, CREATE, json!({ "input": input })).await.data()["createSpecies"].take();
        let ann = &server.person(User).id;
        assert_eq!((&made["name"], &made["ownerId"]), (&json!("Oak"), &json!(ann)));
        let nodes = &made["children"]["nodes"];
        assert_eq!((&nodes[0]["name"], &nodes[1]["name"]), (&json!("Red"), &json!("White")));
        assert_eq!((&nodes[0]["ownerId"], &nodes[0]["parent"]["name"]), (&json!(ann), &json!("Oak")));
        assert_eq!(nodes[0]["children"]["nodes"].as_array().unwrap().len(), 2);
        assert_eq!(count(server).await, 5);
        let many = "mutation ($rows: [CreateSpeciesInput!]!) { createSpeciesList(input: $rows) { name children { nodes { name } } } }";
        let rows = json!([species("A", json!([{ "name": "a", "traits": 1 }])), species("B", json!([])), { "name": "C", "traits": 1, "children": null }]);
        let made = server.graphql(User, many, json!({ "rows": rows })).await.data()["createSpeciesList"].take();
        assert_eq!(made[0], json!({ "name": "A", "children": { "nodes": [{ "name": "a" }] } }));
        assert_eq!(made[2], json!({ "name": "C", "children": { "nodes": [] } }));
        // REST has no word for it.
        server.rest(User, "POST", "/species", species("D", json!([]))).await.expect(422).refused("PGRST204");
        assert_eq!(count(server).await, 9);
    })
    .await;
}
