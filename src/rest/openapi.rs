//! being written
/// being written
pub fn document(_: &crate::catalog::Catalog) -> serde_json::Value {
    serde_json::json!({"openapi": "3.1.0"})
}
