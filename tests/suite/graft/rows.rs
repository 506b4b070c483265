//! Rows with a value of every type, as REST takes them and as both protocols write them.

/// The keys of the rows, and a UUID that is the key of none.
pub(super) const OAK: &str = "0193a000-0000-7000-8000-000000000001";
pub(super) const ASH: &str = "0193a000-0000-7000-8000-000000000002";
pub(super) const ELM: &str = "0193a000-0000-7000-8000-000000000003";
pub(super) const REFERENCE: &str = "c56a4180-65aa-42ec-a945-5fd21dec0538";

/// Rows at the edges of every type, as REST takes them: the least, the greatest, and nothing.
pub(super) fn rows() -> [&'static str; 3] {
    let least = r#"{
        "id": "0193a000-0000-7000-8000-000000000001", "name": "Oak \"α\" \\ 🌳\n", "parent_id": null,
        "population": -9223372036854775808, "population_before": -1,
        "height": -1.7976931348623157e308, "height_before": 5e-324, "protected": false, "confirmed": false,
        "traits": {"z": 1, "a": [1.50, null, {"b b": "x  y\u2028"}], "": 12345678901234567890.123}, "notes": "a text",
        "status": "extinct", "status_before": "least concern", "density": -999999999999.999999,
        "seen_on": "0001-01-01", "seen_at": "0001-01-01T00:00:00Z", "reference": "c56a4180-65aa-42ec-a945-5fd21dec0538"
    }"#;
    let greatest = r#"{
        "id": "0193a000-0000-7000-8000-000000000002", "name": "Ash",
        "parent_id": "0193a000-0000-7000-8000-000000000001",
        "population": 9223372036854775807, "population_before": 9007199254740993,
        "height": 0.1, "height_before": 1e21, "protected": true, "confirmed": true,
        "traits": [], "notes": false, "status": "endangered", "status_before": "extinct",
        "density": 999999999999.999999, "seen_on": "9999-12-31", "seen_at": "9999-12-31T23:59:59.999999Z",
        "reference": "c56a4180-65aa-42ec-a945-5fd21dec0538"
    }"#;
    let nothing = r#"{
        "id": "0193a000-0000-7000-8000-000000000003", "name": "Elm",
        "parent_id": "0193a000-0000-7000-8000-000000000001", "traits": 0
    }"#;
    [least, greatest, nothing]
}

/// The same rows as REST writes them: members in the order of the table, no space between tokens.
pub(super) const WRITTEN: [&str; 3] = [
    r#"{"id":"0193a000-0000-7000-8000-000000000001","owner_id":"ANN","parent_id":null,"name":"Oak \"α\" \\ 🌳\n","population":-9223372036854775808,"population_before":-1,"height":-1.7976931348623157e+308,"height_before":5e-324,"protected":false,"confirmed":false,"traits":{"z":1,"a":[1.50,null,{"b b":"x  y\u2028"}],"":12345678901234567890.123},"notes":"a text","status":"extinct","status_before":"least concern","density":-999999999999.999999,"seen_on":"0001-01-01","seen_at":"0001-01-01T00:00:00.000000Z","reference":"c56a4180-65aa-42ec-a945-5fd21dec0538","rank":null}"#,
    r#"{"id":"0193a000-0000-7000-8000-000000000002","owner_id":"ANN","parent_id":"0193a000-0000-7000-8000-000000000001","name":"Ash","population":9223372036854775807,"population_before":9007199254740993,"height":0.1,"height_before":1e+21,"protected":true,"confirmed":true,"traits":[],"notes":false,"status":"endangered","status_before":"extinct","density":999999999999.999999,"seen_on":"9999-12-31","seen_at":"9999-12-31T23:59:59.999999Z","reference":"c56a4180-65aa-42ec-a945-5fd21dec0538","rank":null}"#,
    r#"{"id":"0193a000-0000-7000-8000-000000000003","owner_id":"ANN","parent_id":"0193a000-0000-7000-8000-000000000001","name":"Elm","population":0,"population_before":null,"height":1.5,"height_before":null,"protected":false,"confirmed":null,"traits":0,"notes":null,"status":"least concern","status_before":null,"density":null,"seen_on":null,"seen_at":null,"reference":null,"rank":null}"#,
];

/// A member of each column, in the order of [`WRITTEN`], as GraphQL selects it.
pub(super) const COLUMNS: &str = "id ownerId parentId name population populationBefore height heightBefore protected confirmed \
                       traits notes status statusBefore density seenOn seenAt reference rank";

/// [`WRITTEN`] as GraphQL writes it: other names, and strings for what its clients' numbers cannot hold.
pub(super) fn in_graphql(rest: &str) -> String {
    let mut text = rest.to_owned();
    for (column, field) in [
        ("owner_id", "ownerId"),
        ("parent_id", "parentId"),
        ("population_before", "populationBefore"),
        ("height_before", "heightBefore"),
        ("status_before", "statusBefore"),
        ("seen_on", "seenOn"),
        ("seen_at", "seenAt"),
    ] {
        text = text.replace(&format!("\"{column}\":"), &format!("\"{field}\":"));
    }
    for (rest, graphql) in [
        ("-9223372036854775808", "\"-9223372036854775808\""),
        ("9223372036854775807", "\"9223372036854775807\""),
        ("9007199254740993", "\"9007199254740993\""),
        ("\"populationBefore\":-1", "\"populationBefore\":\"-1\""),
        ("\"population\":0", "\"population\":\"0\""),
        (":-999999999999.999999", ":\"-999999999999.999999\""),
        (":999999999999.999999", ":\"999999999999.999999\""),
        ("\"least concern\"", "\"LEAST_CONCERN\""),
        ("\"endangered\"", "\"ENDANGERED\""),
        ("\"extinct\"", "\"EXTINCT\""),
    ] {
        text = text.replace(rest, graphql);
    }
    text
}
