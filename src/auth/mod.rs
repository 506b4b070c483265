//! Identity: who is asking, and how one becomes somebody.
//!
//! In: passwords, tokens and the `users` and `credentials` tables. Out: a [`Principal`](crate::engine::principal) for
//! every request, and sessions for those who sign in. What a principal may do is no business of this layer.
//!
//! | module | owns |
//! |---|---|
//! | `sessions` | [`Auth`]: register, login, and the principal of a request |
//! | `layer` | the middleware that puts the principal into the request |
//! | `routes`, `body` | the paths under `/auth` and their bodies |
//! | `client` | where a request comes from |
//! | `limits`, `audit` | how often one may try; what has happened to accounts, for the log |
//! | `jwt` | own tokens: issued and verified |
//! | `accounts` | what the database says now of a token's subject |
//! | `users` | the rows of accounts: made, found, changed |
//! | `email`, `password` | what is a good address, what is a good password, and its hash |

pub mod accounts;
pub mod audit;
mod body;
pub mod client;
pub mod email;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod jwt;
pub mod layer;
pub mod limits;
pub mod password;
pub mod routes;
pub mod sessions;
pub mod users;

pub use self::sessions::{Auth, RegisterInput, Session};

#[cfg(test)]
mod tests;
