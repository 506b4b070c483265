//! Identity: who is asking, and how one becomes somebody.
//!
//! In: passwords, tokens and the `users`, `credentials` and `sessions` tables. Out: a [`Principal`](crate::engine::principal) for
//! every request, and sessions for those who sign in. What a principal may do is no business of this layer.
//!
//! | module | owns |
//! |---|---|
//! | `sessions` | [`Auth`]: the principal of a request, refresh and logout |
//! | `sign_in`, `register` | register, login, another password; what makes a good account |
//! | `layer` | the middleware that puts the principal into the request |
//! | `routes`, `body` | the paths under `/auth` and their bodies |
//! | `client` | where a request comes from |
//! | `limits`, `audit` | how often one may try; what has happened to accounts, for the log |
//! | `jwt` | own access tokens: issued and verified |
//! | `refresh`, `session_rows` | refresh tokens, and the rows that have their digests |
//! | `accounts` | what the database says now of a token's subject |
//! | `users` | the rows of accounts: made, found, changed |
//! | `email`, `password` | what is a good address, what is a good password, and its hash |

pub mod accounts;
pub mod audit;
mod body;
pub mod client;
pub mod email;
pub mod jwt;
pub mod layer;
pub mod limits;
pub mod password;
pub mod refresh;
pub mod register;
pub mod routes;
mod session_rows;
pub mod sessions;
pub mod sign_in;
pub mod users;

pub use self::{
    register::RegisterInput,
    sessions::{Auth, Session},
};

#[cfg(test)]
mod tests;
