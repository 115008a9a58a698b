//! A repository of 2,000 files in 8 components, each of one job whose first command tells that it began.

use crate::world::World;

/// How many components it has.
pub const COMPONENTS: usize = 8;
/// How many files each of them has, besides its `ci.yaml`.
const FILES: usize = 249;
/// How long each file is, in bytes.
const BYTES: usize = 4096;

/// Makes a world with it.
pub async fn world() -> World {
    let files: Vec<(String, String)> = (0..COMPONENTS).flat_map(component).collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
    World::new(&files).await
}

/// A component depends on the one before it, so that a change to the last affects nothing else.
fn component(number: usize) -> Vec<(String, String)> {
    let depends_on = number.checked_sub(1).map(|before| format!("depends_on: [part-{before}]\n"));
    let definition = format!(
        "{}jobs:\n  test: ['echo began > {{outside}}.starts']\n",
        depends_on.unwrap_or_default()
    );
    let file = |file: usize| {
        let path = format!("part-{number}/src/area-{}/file-{file}.txt", file % 16);
        (path, format!("{number} {file}\n").repeat(BYTES / 8))
    };
    let mut files: Vec<(String, String)> = (0..FILES).map(file).collect();
    files.push((format!("part-{number}/ci.yaml"), definition));
    files
}

/// A file of the last component.
pub fn last_file() -> String {
    format!("part-{}/src/area-0/file-0.txt", COMPONENTS - 1)
}
