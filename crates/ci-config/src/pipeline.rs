//! All component files of one tree, and what they say of each other.

use std::collections::{BTreeMap, BTreeSet};

use ci_domain::claims::COMPONENT_FILE;
use ci_domain::ids::ComponentName;
use ci_domain::pipeline::{Image, Pipeline};

use crate::component::{Draft, component_name, read_component};
use crate::diagnostic::{At, Diagnostic, Problems};
use crate::policy::POLICY_FILE;
use crate::references;
use crate::yaml::report_size;

/// A tree with more components is refused: each of them has a status on every commit.
const MAX_COMPONENTS: usize = 200;

/// What a tree has at the path of a component file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileContent {
    /// A plain file, read whole.
    Bytes(Vec<u8>),
    /// A plain file of so many bytes, not read because it is larger than [`crate::yaml::MAX_FILE`].
    TooLarge(u64),
    /// A symbolic link; it is never followed.
    Symlink,
    /// A commit of another repository.
    Submodule,
}

/// Whether the file at `path` makes its folder a component.
#[must_use]
pub fn is_component_file(path: &str) -> bool {
    path.rsplit('/').next() == Some(COMPONENT_FILE)
}

/// What to say of the file at `path` where it looks like one of ours and, for its name, is not.
#[must_use]
pub fn misnamed(path: &str) -> Option<Diagnostic> {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let is_called = |right: &str| {
        let other = right.replace(".yaml", ".yml");
        name != right && (name.eq_ignore_ascii_case(right) || name.eq_ignore_ascii_case(&other))
    };
    let hint = if is_called(COMPONENT_FILE) {
        format!("call it {COMPONENT_FILE}: then its folder is a component")
    } else if folder.is_empty() && is_called(POLICY_FILE) {
        format!("call it {POLICY_FILE}: then it is the policy")
    } else {
        return None;
    };
    let message = "warning: nobody reads this file".to_owned();
    Some(Diagnostic { file: path.to_owned(), line: 1, column: 1, message, hint: Some(hint) })
}

/// Reads all component files of a tree, with their paths from its root.
///
/// # Errors
/// All that is wrong with them, file by file and in order of their lines.
pub fn parse_pipeline(
    files: impl IntoIterator<Item = (String, FileContent)>,
) -> Result<Pipeline, Vec<Diagnostic>> {
    parse_pipeline_in(files, |_| true)
}

/// The same, where it can be told whether the tree has a plain file at a path.
///
/// # Errors
/// All that is wrong with them, file by file and in order of their lines.
pub fn parse_pipeline_in(
    files: impl IntoIterator<Item = (String, FileContent)>,
    has_file: impl Fn(&str) -> bool,
) -> Result<Pipeline, Vec<Diagnostic>> {
    let files: BTreeMap<String, FileContent> = files.into_iter().collect();
    let mut tree = Tree::default();
    for (position, (path, content)) in files.into_iter().enumerate() {
        let mut problems = Problems::of(&path);
        if position == MAX_COMPONENTS {
            let message = format!("there are more than {MAX_COMPONENTS} components");
            problems.report(At::START, message, "join components that are always tested together");
            tree.files.push(File { problems, name: None, draft: None });
            break;
        }
        tree.files.push(File::read(&path, content, problems));
    }
    tree.check_names();
    tree.check_references();
    tree.check_images(has_file);
    tree.into_pipeline()
}

/// The component files of a tree.
#[derive(Default)]
struct Tree {
    files: Vec<File>,
}

struct File {
    problems: Problems,
    name: Option<ComponentName>,
    draft: Option<Draft>,
}

impl File {
    fn read(path: &str, content: FileContent, mut problems: Problems) -> Self {
        let name = component_name(path, &mut problems);
        let mut link = |what| {
            let message = format!("a component file must be a plain file, not {what}");
            problems.report(At::START, message, "commit the content itself at this path");
            None
        };
        let draft = match content {
            FileContent::Symlink => link("a symbolic link"),
            FileContent::Submodule => link("a submodule"),
            FileContent::TooLarge(size) => {
                report_size(size, &mut problems);
                None
            }
            FileContent::Bytes(bytes) => read_component(path, &bytes, &mut problems),
        };
        Self { problems, name, draft }
    }
}

impl Tree {
    /// Names that differ only by case are one folder to some file systems and one status to some people.
    fn check_names(&mut self) {
        let mut seen: BTreeMap<String, ComponentName> = BTreeMap::new();
        for file in &mut self.files {
            let Some(name) = &file.name else { continue };
            if let Some(other) = seen.get(&name.as_str().to_ascii_lowercase()) {
                let message = format!("components `{other}` and `{name}` differ only by case");
                file.problems.report(At::START, message, "rename one of the folders");
            }
            seen.insert(name.as_str().to_ascii_lowercase(), name.clone());
        }
    }

    /// Names that stand for nothing, and circles.
    fn check_references(&mut self) {
        let drafts: Vec<&Draft> =
            self.files.iter().filter_map(|file| file.draft.as_ref()).collect();
        let unread: BTreeSet<ComponentName> = self
            .files
            .iter()
            .filter(|file| file.draft.is_none())
            .filter_map(|file| file.name.clone())
            .collect();
        for found in references::check(&drafts, &unread) {
            let file =
                self.files.iter_mut().find(|file| file.name.as_ref() == Some(&found.component));
            let Some(file) = file else { continue };
            file.problems.report(found.at, found.message, found.hint);
        }
    }

    /// Files that are to build images, and are not there.
    fn check_images(&mut self, has_file: impl Fn(&str) -> bool) {
        for file in &mut self.files {
            let Some(draft) = &file.draft else { continue };
            let path = draft.component.image.as_ref().and_then(Image::dockerfile);
            if let (Some(path), Some(at)) = (path.filter(|path| !has_file(path)), draft.image) {
                let message = format!("`image`: there is no plain file `{path}`");
                let hint = "write the path of a Dockerfile from the root of the repository";
                file.problems.report(at, message, hint);
            }
        }
    }

    fn into_pipeline(self) -> Result<Pipeline, Vec<Diagnostic>> {
        let mut pipeline = Pipeline::default();
        let mut diagnostics = Vec::new();
        for file in self.files {
            diagnostics.extend(file.problems.into_sorted());
            if let Some(Draft { component, .. }) = file.draft {
                pipeline.components.insert(component.name.clone(), component);
            }
        }
        if diagnostics.is_empty() { Ok(pipeline) } else { Err(diagnostics) }
    }
}
