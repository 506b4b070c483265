//! Identity: who is asking, and how one becomes somebody.
//!
//! In: passwords, tokens and the tables of accounts. Out: a [`Principal`](crate::engine::principal) for every request, and
//! sessions for those who sign in. What a principal may do is no business of this layer.
//!
//! | module | owns |
//! |---|---|
//! | `sessions` | [`Auth`]: the principal of a request, refresh and logout |
//! | `sign_in`, `register` | register, login, another password; what makes a good account |
//! | `layer` | the middleware that puts the principal into the request |
//! | `routes`, `body` | the paths under `/auth` and their bodies |
//! | `client` | where a request comes from |
//! | `limits`, `audit` | how often one may try; what has happened to accounts, for the log |
//! | `refresh`, `session_rows` | refresh tokens, and the rows that have their digests |
//! | `bearers` | who comes with a token, of whichever kind |
//! | `jwt` | own tokens: issued and verified; what all tokens share |
//! | `outside`, `jwks` | tokens of an outside identity provider, and the keys that it publishes |
//! | `accounts` | what the database says now of an own token's subject |
//! | `identities` | who the subject of an outside token is here |
//! | `users` | the rows of accounts: made, found, changed |
//! | `email`, `password` | what is a good address, what is a good password, and its hash |

pub mod accounts;
pub mod audit;
mod bearers;
mod body;
pub mod client;
pub mod email;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod identities;
mod jwks;
pub mod jwt;
pub mod layer;
pub mod limits;
mod outside;
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
