//! Which component of a tree claims a path, and through what.

use std::collections::BTreeMap;

use crate::ids::ComponentName;
use crate::paths::{InvalidPattern, PathPatterns};
use crate::pipeline::Pipeline;

/// The file that makes a folder a component.
pub const COMPONENT_FILE: &str = "ci.yaml";

/// What each component of one tree claims.
#[derive(Clone, Debug)]
pub struct Claims {
    explicit: BTreeMap<ComponentName, PathPatterns>,
    images: BTreeMap<ComponentName, String>,
    by_folder: BTreeMap<String, ComponentName>,
}

/// Through what a component claims a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// The path is the file that defines the component.
    Definition,
    /// This pattern of the component's `inputs`.
    Input(String),
    /// The path is the file that builds its image.
    Image,
    /// The path is in its folder, in no nested component, and the component has no `inputs`.
    Folder,
}

/// What becomes of a changed path in one tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimants {
    /// These components claim it.
    Components(Vec<(ComponentName, Claim)>),
    /// The policy says that it affects nothing.
    Ignored,
    /// Nothing claims it.
    Nobody,
}

/// Inputs of a component that cannot be matched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("inputs of {component}")]
pub struct InvalidInputs {
    /// The component.
    pub component: ComponentName,
    /// Its pattern.
    pub source: InvalidPattern,
}

impl Claims {
    /// Reads the claims of every component.
    ///
    /// # Errors
    /// Names the first component whose `inputs` cannot be matched.
    pub fn new(pipeline: &Pipeline) -> Result<Self, InvalidInputs> {
        let mut explicit = BTreeMap::new();
        for component in pipeline.components.values() {
            let Some(inputs) = &component.inputs else { continue };
            let name = component.name.clone();
            let patterns = PathPatterns::new(name.folder(), inputs)
                .map_err(|source| InvalidInputs { component: name.clone(), source })?;
            explicit.insert(name, patterns);
        }
        let images = pipeline.components.values().filter_map(|component| {
            let path = component.image.as_ref()?.dockerfile()?;
            Some((component.name.clone(), path.to_owned()))
        });
        let images = images.collect();
        let names = pipeline.components.keys();
        let by_folder = names.map(|name| (name.folder().to_owned(), name.clone())).collect();
        Ok(Self { explicit, images, by_folder })
    }

    /// What becomes of `path`: claimed by its own component's definition and by explicit inputs, else
    /// ignored, else claimed by default inputs, else nobody's. Those whose image it builds claim it in any
    /// case.
    #[must_use]
    pub fn of(&self, path: &str, ignore: &PathPatterns) -> Claimants {
        let builds = self.images.iter().filter(|(_, file)| *file == path);
        let builds: Vec<_> = builds.map(|(name, _)| (name.clone(), Claim::Image)).collect();
        match self.without_images(path, ignore) {
            Claimants::Components(mut claims) => {
                let is_new = |(name, _): &(ComponentName, Claim)| {
                    !claims.iter().any(|(claimant, _)| claimant == name)
                };
                let new: Vec<_> = builds.into_iter().filter(is_new).collect();
                claims.extend(new);
                Claimants::Components(claims)
            }
            _ if !builds.is_empty() => Claimants::Components(builds),
            other => other,
        }
    }

    fn without_images(&self, path: &str, ignore: &PathPatterns) -> Claimants {
        let defines = self.defined_by(path).map(|name| (name.clone(), Claim::Definition));
        let explicit = self.explicit.iter().filter_map(|(name, patterns)| {
            Some((name.clone(), Claim::Input(patterns.claim(path)?.to_owned())))
        });
        let first: Vec<_> = defines.into_iter().chain(explicit).collect();
        if !first.is_empty() {
            return Claimants::Components(first);
        }
        if ignore.claims(path) {
            return Claimants::Ignored;
        }
        match self.by_default(path) {
            Some(name) => Claimants::Components(vec![(name.clone(), Claim::Folder)]),
            None => Claimants::Nobody,
        }
    }

    /// Whether `path` is among what `component` declares, whoever else claims it.
    #[must_use]
    pub fn declares(&self, component: &ComponentName, path: &str, ignore: &PathPatterns) -> bool {
        let is_image = self.images.get(component).is_some_and(|file| file == path);
        if is_image || self.defined_by(path) == Some(component) {
            return true;
        }
        match self.explicit.get(component) {
            Some(patterns) => patterns.claims(path),
            None => self.by_default(path) == Some(component) && !ignore.claims(path),
        }
    }

    fn defined_by(&self, path: &str) -> Option<&ComponentName> {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        self.by_folder.get(folder).filter(|_| file == COMPONENT_FILE)
    }

    /// The component whose folder is nearest, unless it says itself what it claims.
    fn by_default(&self, path: &str) -> Option<&ComponentName> {
        let mut folder = path;
        let nearest = loop {
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
            match self.by_folder.get(folder) {
                Some(name) => break Some(name),
                None if folder.is_empty() => break None,
                None => {}
            }
        };
        nearest.filter(|name| !self.explicit.contains_key(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Image;
    use crate::sample::{component, pipeline};

    #[test]
    fn what_builds_an_image_is_claimed_by_whoever_has_it_and_by_whoever_else_would() {
        let mut pipeline = pipeline("air\nweb = /none\nci");
        for name in ["air", "web"] {
            let component = pipeline.components.get_mut(&component(name)).unwrap();
            component.image = Some(Image::parse("ci/Dockerfile").unwrap());
        }
        let claims = Claims::new(&pipeline).unwrap();
        let check = |path: &str, ignored: &[&str], expected: &[(&str, Claim)]| {
            let ignored: Vec<String> = ignored.iter().map(ToString::to_string).collect();
            let ignore = PathPatterns::new("", &ignored).unwrap();
            let Claimants::Components(found) = claims.of(path, &ignore) else { panic!("{path}") };
            let expected: Vec<_> =
                expected.iter().map(|(name, claim)| (component(name), claim.clone())).collect();
            assert_eq!(found, expected, "{path}");
            for (name, _) in found {
                assert!(claims.declares(&name, path, &ignore), "{name}");
            }
        };
        let images = [("air", Claim::Image), ("web", Claim::Image)];
        check("ci/Dockerfile", &[], &[&[("ci", Claim::Folder)], images.as_slice()].concat());
        check("ci/Dockerfile", &["**"], &images);
        check("ci/other", &[], &[("ci", Claim::Folder)]);
    }
}
