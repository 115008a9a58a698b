//! What people may do in the fake's repositories.

use ci_domain::ids::Login;

use super::model::Repo;
use super::repo::FakeRepo;
use crate::standing::Standing;

impl FakeRepo {
    /// Says what somebody may do, instead of what follows from their being a writer or not.
    pub fn set_standing(&self, login: &Login, standing: Standing) {
        self.change_repo(|repo| {
            repo.standings.insert(login.clone(), standing);
        });
    }

    /// Hides the repository from everyone who has nothing to do with it.
    pub fn hide(&self) {
        self.change_repo(|repo| repo.is_private = true);
    }

    fn change_repo(&self, change: impl FnOnce(&mut Repo)) {
        let mut model = self.github().model();
        change(model.repo_mut(self.name()).expect("the fake has the repository"));
    }
}

impl Repo {
    pub(super) fn standing(&self, login: &Login) -> Standing {
        match self.standings.get(login) {
            Some(standing) => *standing,
            None if self.can_write(login) => Standing::Write,
            None if self.is_private => Standing::None,
            None => Standing::Read,
        }
    }
}

impl Standing {
    /// GitHub's word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// The number of an account: that of its login, which nobody changes here.
pub(super) fn number_of(login: &Login) -> u64 {
    let mix = |sum: u32, byte: u8| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    u64::from(login.as_str().bytes().fold(0x811c_9dc5, mix))
}
