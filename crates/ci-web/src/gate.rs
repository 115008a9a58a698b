//! How people come in by their account at the forge.

use std::sync::Arc;

use ci_domain::ids::Login;
use ci_github::SignIn;

use crate::access::Person;

/// How people come in by their account at the forge, and who of them may do everything.
#[derive(Clone, Debug)]
pub struct Gate {
    /// The application that they agree to.
    pub sign_in: Arc<SignIn>,
    /// Whoever may do everything, whatever the forge says of them.
    pub administrators: Vec<Login>,
}

impl Gate {
    /// Whether somebody may do everything. Logins are the same in capitals.
    pub(crate) fn is_administrator(&self, person: &Person) -> bool {
        let own = person.login.as_str();
        self.administrators.iter().any(|login| login.as_str().eq_ignore_ascii_case(own))
    }
}
