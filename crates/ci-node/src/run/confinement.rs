//! What keeps the jobs of a session from the rest of the machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ci_config::node::IsolationChoice;
use ci_domain::ids::ComponentName;
use ci_domain::pipeline::{Component, Image as Declared, Pipeline};
use ci_exec::{Build, Container, Image, ImageSource, Isolation, Limits, Namespaces};

use crate::args::{RunArgs, RunIsolation};
use crate::exit::Exit;
use crate::isolation::{self, Ground};

/// What a job may use where that is bounded; a node's defaults too.
const LIMITS: Limits = Limits { memory: 4 << 30, pids: 4096, milli_cpus: None };
/// What of the caller's environment says nothing in an image.
const OF_THIS_MACHINE: [&str; 5] =
    ["PATH", "SHELL", "SSL_CERT_DIR", "SSL_CERT_FILE", "XDG_RUNTIME_DIR"];

/// The folders of a session.
#[derive(Debug)]
pub(super) struct Folders<'a> {
    /// The working copy.
    pub(super) root: &'a Path,
    /// The cache of the working copy, which is kept.
    pub(super) cache: &'a Path,
    /// The session's own.
    pub(super) session: &'a Path,
}

/// What keeps jobs from the machine, as was asked for and as it works.
#[derive(Debug)]
pub(super) enum Confinement {
    /// Nothing.
    None,
    /// Each job has a sandbox or a container.
    Some(Box<Means>),
}

#[derive(Debug)]
pub(super) struct Means {
    namespaces: Option<Namespaces>,
    container: Option<Container>,
    /// The images that components name.
    images: BTreeMap<ComponentName, Declared>,
    root: PathBuf,
    home: PathBuf,
    caches: PathBuf,
    /// What of the caller's environment says nothing in an image, and was not asked for.
    of_this_machine: Vec<&'static str>,
}

impl Confinement {
    /// Finds what was asked for.
    ///
    /// # Errors
    /// It does not work here, or a folder cannot be made.
    pub(super) async fn find(
        args: &RunArgs,
        pipeline: &Pipeline,
        folders: &Folders<'_>,
        path: &str,
    ) -> Result<Self> {
        let choice = match args.isolation {
            RunIsolation::None => return Ok(Self::None),
            RunIsolation::Auto => IsolationChoice::Auto,
            RunIsolation::Namespaces => IsolationChoice::Namespaces,
            RunIsolation::Container => IsolationChoice::Container,
        };
        let Folders { root, cache, session } = *folders;
        let (home, caches) = (cache.with_extension("home"), cache.with_extension("images"));
        make(&home)?;
        make(&caches)?;
        let images = pipeline
            .components
            .values()
            .filter_map(|component| Some((component.name.clone(), component.image.clone()?)));
        let images: BTreeMap<_, _> = images.collect();
        let offer = isolation::offer(
            choice,
            Ground {
                path,
                visible: &[],
                hidden: Vec::new(),
                limits: LIMITS,
                has_images: !images.is_empty(),
                trial: session.join("trial"),
            },
        )
        .await;
        if offer.namespaces.is_none() && offer.container.is_none() {
            let message = format!("no isolation available: {}", offer.trouble);
            return Err(Exit::Failed.because(message));
        }
        let readable = git_folders(root);
        let writable = vec![root.to_owned(), cache.to_owned(), home.clone()];
        Ok(Self::Some(Box::new(Means {
            namespaces: offer.namespaces.map(|namespaces| Namespaces {
                readable: readable.clone(),
                writable: writable.clone(),
                ..namespaces
            }),
            container: offer.container.map(|container| Container {
                readable,
                writable,
                ..container
            }),
            images,
            root: root.to_owned(),
            home,
            caches,
            of_this_machine: of_this_machine(args),
        })))
    }

    /// Those of the components that name an image and do not run in it.
    pub(super) fn outside_images<'a>(
        &self,
        components: impl Iterator<Item = &'a Component>,
    ) -> Vec<(&'a ComponentName, &'a Declared)> {
        if matches!(self, Self::Some(means) if means.container.is_some()) {
            return Vec::new();
        }
        let named =
            components.filter_map(|component| Some((&component.name, component.image.as_ref()?)));
        named.collect()
    }

    /// What keeps the jobs of `component` from the machine, and what that makes of their environment.
    ///
    /// # Errors
    /// It names no image, and there is nothing but containers.
    pub(super) fn of(
        &self,
        component: &ComponentName,
        env: &mut BTreeMap<String, String>,
    ) -> Result<Isolation> {
        let Self::Some(means) = self else { return Ok(Isolation::None) };
        env.insert("HOME".to_owned(), means.home.to_string_lossy().into_owned());
        env.insert("TMPDIR".to_owned(), "/tmp".to_owned());
        env.remove("XDG_RUNTIME_DIR");
        match (&means.container, means.images.get(component), &means.namespaces) {
            (Some(container), Some(image), _) => {
                means.of_this_machine.iter().for_each(|name| drop(env.remove(*name)));
                let image = means.image(image, component);
                Ok(Isolation::Container(Box::new(Container { image, ..container.clone() })))
            }
            (_, _, Some(namespaces)) => Ok(Isolation::Namespaces(namespaces.clone())),
            (_, _, None) => {
                let message = format!("no isolation available: {component} names no `image`");
                Err(Exit::Failed.because(message))
            }
        }
    }
}

impl Means {
    /// An image of a working copy is built each time: nobody can say at a glance whether it would differ.
    fn image(&self, declared: &Declared, component: &ComponentName) -> Image {
        match declared {
            Declared::Named(name) => Image { name: name.clone(), source: ImageSource::Registry },
            Declared::Dockerfile(path) => {
                let file = self.root.join(path);
                let context = file.parent().unwrap_or(&self.root).to_owned();
                let copy = self.caches.file_stem().unwrap_or_default().to_string_lossy();
                let name =
                    format!("localhost/ci-node-run/{}:{}", tag(&copy), tag(component.as_str()));
                let build = Build { file, context, caches: self.caches.clone() };
                Image { name, source: ImageSource::Rebuilt(build) }
            }
        }
    }
}

fn of_this_machine(args: &RunArgs) -> Vec<&'static str> {
    let was_asked = |name: &str| args.env.iter().any(|asked| asked.name() == name);
    OF_THIS_MACHINE.into_iter().filter(|name| !was_asked(name)).collect()
}

/// A text as part of an image's name.
fn tag(text: &str) -> String {
    let plain = |letter: char| {
        let letter = letter.to_ascii_lowercase();
        if letter.is_ascii_alphanumeric() { letter } else { '-' }
    };
    let text: String = text.chars().map(plain).collect();
    let text = text.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    if text.is_empty() { "root".to_owned() } else { text }
}

/// Where git keeps what belongs to a working copy: in it, or elsewhere where it is one of several.
fn git_folders(root: &Path) -> Vec<PathBuf> {
    let own = root.join(".git");
    let Ok(text) = fs::read_to_string(&own) else { return vec![own] };
    let Some(folder) = text.trim().strip_prefix("gitdir: ").map(|path| root.join(path)) else {
        return vec![own];
    };
    let common = fs::read_to_string(folder.join("commondir"));
    let common = common.map(|path| folder.join(path.trim()));
    let known = common.and_then(fs::canonicalize).unwrap_or(folder);
    vec![own, known]
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_can_be_part_of_an_images_name() {
        let check = |text: &str, expected: &str| assert_eq!(tag(text), expected);
        check("Shop-0a1b", "shop-0a1b");
        check("libs/Common_1..x", "libs-common-1-x");
        check("_", "root");
    }
}
