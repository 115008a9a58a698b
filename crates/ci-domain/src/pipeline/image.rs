//! What the files of a component's container are: an image, by its name or by how it is built.

use std::fmt;

/// Longer texts are no image that anybody means.
const MAX_LENGTH: usize = 255;
/// What the file that builds an image is called, or begins with, or ends with after a dot.
const BUILDERS: [&str; 2] = ["Dockerfile", "Containerfile"];

/// The image of a component's container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Image {
    /// It is built by this file of the repository, a path from its root.
    Dockerfile(String),
    /// A registry has it by this name, or the machine.
    Named(String),
}

/// A text that is no image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidImage {
    /// It leads out of the repository, or is no path at all.
    #[error("no path from the root of the repository")]
    Path,
    /// No registry takes it.
    #[error("no name of an image")]
    Name,
}

impl Image {
    /// Reads the text of a component's file: a path where its last part is what a Dockerfile is called.
    ///
    /// ```
    /// use ci_domain::pipeline::Image;
    ///
    /// let image = |text| Image::parse(text).unwrap();
    /// assert_eq!(image("ci/Dockerfile"), Image::Dockerfile("ci/Dockerfile".to_owned()));
    /// assert_eq!(image("rust:1.90"), Image::Named("rust:1.90".to_owned()));
    /// ```
    ///
    /// # Errors
    /// Says what it can't be.
    pub fn parse(text: &str) -> Result<Self, InvalidImage> {
        if !is_builder(text.rsplit('/').next().unwrap_or_default()) {
            return if is_name(text) {
                Ok(Self::Named(text.to_owned()))
            } else {
                Err(InvalidImage::Name)
            };
        }
        let path = text.strip_prefix('/').unwrap_or(text);
        let is_part = |part: &str| !matches!(part, "" | "." | "..");
        let is_plain = text.len() <= MAX_LENGTH && !text.contains(char::is_control);
        if is_plain && path.split('/').all(is_part) {
            Ok(Self::Dockerfile(path.to_owned()))
        } else {
            Err(InvalidImage::Path)
        }
    }

    /// The file that builds it, where one does.
    #[must_use]
    pub fn dockerfile(&self) -> Option<&str> {
        match self {
            Self::Dockerfile(path) => Some(path),
            Self::Named(_) => None,
        }
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dockerfile(text) | Self::Named(text) => f.write_str(text),
        }
    }
}

/// `Dockerfile`, `Dockerfile.test` or `test.Dockerfile`; names of images have no capitals there.
fn is_builder(name: &str) -> bool {
    BUILDERS.iter().any(|builder| {
        let before =
            name.strip_suffix(builder).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let after = name.strip_prefix(builder).is_some_and(|rest| rest.starts_with('.'));
        (before || after) && !name.contains(':')
    })
}

/// Such as `debian:12` or `registry.example.com:5000/team/tool@sha256:…`; never taken for an option.
fn is_name(text: &str) -> bool {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"._/:@-".contains(&byte);
    text.len() <= MAX_LENGTH
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && text.bytes().all(is_usual)
        && !text.ends_with(['/', ':', '@'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_like_a_dockerfile_is_built() {
        let check = |text: &str, path: &str| {
            assert_eq!(Image::parse(text), Ok(Image::Dockerfile(path.to_owned())), "{text}");
        };
        check("Dockerfile", "Dockerfile");
        check("/ci/Dockerfile", "ci/Dockerfile");
        check("ci images/Containerfile", "ci images/Containerfile");
        check("ci/Dockerfile.test", "ci/Dockerfile.test");
        check("ci/test.Dockerfile", "ci/test.Dockerfile");
    }

    #[test]
    fn all_else_is_a_name() {
        for text in [
            "debian",
            "rust:1.90-slim",
            "ghcr.io/acme/tool:v1",
            "localhost:5000/a/b@sha256:0123456789abcdef",
            "acme/dockerfile",
            "acme/tool:Dockerfile",
        ] {
            assert_eq!(Image::parse(text), Ok(Image::Named(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in
            ["../Dockerfile", "ci//Dockerfile", "./Dockerfile", "//Dockerfile", "a\nb/Dockerfile"]
        {
            assert_eq!(Image::parse(text), Err(InvalidImage::Path), "{text:?}");
        }
        for text in ["", "--privileged", "a b", "tool:", "$(id)", "ci/Makefile\n", "/usr/bin", "x/"]
        {
            assert_eq!(Image::parse(text), Err(InvalidImage::Name), "{text:?}");
        }
    }
}
