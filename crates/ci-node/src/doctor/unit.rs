//! The systemd unit: whether stopping the node leaves its jobs alone.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Finding;

/// What the unit that `init` writes is called.
const UNIT: &str = "ci-node.service";
/// Where systemd looks, the first that has it wins.
const FOLDERS: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
];
/// There while systemd manages the machine.
const SYSTEMD: &str = "/run/systemd/system";

/// The `[Service]` section, drop-ins included; a later assignment wins.
type Service = BTreeMap<String, String>;

/// Looks at the unit that was named, or at the one that is installed.
pub(super) fn check(named: Option<&Path>) -> Vec<Finding> {
    let installed = || {
        FOLDERS.map(|folder| Path::new(folder).join(UNIT)).into_iter().find(|path| path.exists())
    };
    let Some(path) = named.map(Path::to_owned).or_else(installed) else {
        return vec![absent(Path::new(SYSTEMD).exists())];
    };
    match read(&path) {
        Ok(service) => judge(&path.display().to_string(), &service),
        Err(error) => {
            let words = format!("{} cannot be read: {error}", path.display());
            vec![Finding::fail("unit", words, "name another file with --unit")]
        }
    }
}

fn absent(has_systemd: bool) -> Finding {
    if has_systemd {
        let words = format!("there is no {UNIT}, so nothing starts the node again");
        return Finding::fail("unit", words, "run `ci-node init`, and install what it writes");
    }
    let words = "systemd does not manage this machine";
    let remedy = "let what starts the node start it again after a crash, and end nothing but the \
                  node itself when it stops";
    Finding::warn("unit", words, remedy)
}

/// Everything in the unit that breaks a promise, or that all is well.
fn judge(shown: &str, service: &Service) -> Vec<Finding> {
    let value = |key: &str| service.get(key).map(String::as_str);
    let mut findings = Vec::new();
    if !matches!(value("KillMode"), Some("process" | "none")) {
        let words = format!(
            "{shown}: KillMode={} ends all jobs when the node stops",
            value("KillMode").unwrap_or("control-group (the default)")
        );
        findings.push(Finding::fail("unit", words, "set KillMode=process"));
    }
    if !value("Delegate").is_some_and(delegates) {
        let words = format!("{shown}: without Delegate=yes jobs get no control groups");
        findings.push(Finding::fail("unit", words, "set Delegate=yes"));
    }
    if value("OOMPolicy") != Some("continue") {
        let words = format!("{shown}: a job that runs out of memory stops the node");
        findings.push(Finding::fail("unit", words, "set OOMPolicy=continue"));
    }
    if matches!(value("User"), None | Some("root" | "0")) {
        let words = format!("{shown}: the node, and what escapes its sandbox, is root");
        findings.push(Finding::warn("unit", words, "set User= to a user of the node's own"));
    }
    if !matches!(value("Restart"), Some("always" | "on-failure")) {
        let words = format!("{shown}: a node that ends by a fault is not started again");
        findings.push(Finding::warn("unit", words, "set Restart=on-failure"));
    }
    if findings.is_empty() {
        findings.push(Finding::ok("unit", format!("{shown} leaves jobs running")));
    }
    findings
}

/// What systemd takes for yes; a list of controllers is one too.
fn delegates(value: &str) -> bool {
    !matches!(value.to_ascii_lowercase().as_str(), "" | "no" | "n" | "false" | "f" | "off" | "0")
}

/// Reads a unit and its drop-ins.
fn read(path: &Path) -> io::Result<Service> {
    let mut service = Service::new();
    assign(&mut service, &fs::read_to_string(path)?);
    for drop_in in drop_ins(path)? {
        assign(&mut service, &fs::read_to_string(drop_in)?);
    }
    Ok(service)
}

/// The files in `NAME.service.d`, in order of their names; of two with one name the higher folder's.
fn drop_ins(path: &Path) -> io::Result<Vec<PathBuf>> {
    let Some(name) = path.file_name() else { return Ok(Vec::new()) };
    let mut folder = name.to_owned();
    folder.push(".d");
    let beside = path.parent().map(Path::to_owned);
    let mut found: BTreeMap<_, PathBuf> = BTreeMap::new();
    for place in FOLDERS.map(PathBuf::from).into_iter().chain(beside) {
        let entries = match fs::read_dir(place.join(&folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "conf") {
                found.entry(path.file_name().map(ToOwned::to_owned)).or_insert(path);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Takes the assignments of the `[Service]` section over into `service`.
fn assign(service: &mut Service, text: &str) {
    let mut section = "";
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        } else if let Some((key, value)) = line.split_once('=')
            && section == "[Service]"
            && !line.starts_with(['#', ';'])
        {
            service.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    const OURS: &str = include_str!("../init/ci-node.service");

    fn judged(text: &str) -> Vec<(Level, String)> {
        let mut service = Service::new();
        assign(&mut service, text);
        let found = judge("x", &service);
        found.into_iter().map(|found| (found.level, found.remedy.unwrap_or_default())).collect()
    }

    #[test]
    fn the_unit_that_init_writes_is_well() {
        assert_eq!(judged(OURS), [(Level::Ok, String::new())]);
    }

    #[test]
    fn each_setting_that_breaks_a_promise_is_named() {
        let check = |from: &str, to: &str, level, remedy: &str| {
            assert!(OURS.contains(from), "{from}");
            assert_eq!(judged(&OURS.replace(from, to)), [(level, remedy.to_owned())], "{to}");
        };
        check("\nKillMode=process", "", Level::Fail, "set KillMode=process");
        check("KillMode=process", "KillMode=mixed", Level::Fail, "set KillMode=process");
        check("Delegate=yes", "Delegate=no", Level::Fail, "set Delegate=yes");
        check("OOMPolicy=continue", "#OOMPolicy=continue", Level::Fail, "set OOMPolicy=continue");
        check("User=ci-node", "User=root", Level::Warn, "set User= to a user of the node's own");
        check("Restart=on-failure", "Restart=no", Level::Warn, "set Restart=on-failure");
    }

    #[test]
    fn a_drop_in_changes_the_unit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heights-test-unit.service");
        fs::write(&path, OURS).unwrap();
        assert!(check(Some(&path)).iter().all(|found| found.level == Level::Ok));
        let drop_ins = folder.path().join("heights-test-unit.service.d");
        fs::create_dir(&drop_ins).unwrap();
        fs::write(drop_ins.join("10-kill.conf"), "[Service]\nKillMode=control-group\n").unwrap();
        fs::write(drop_ins.join("note.txt"), "[Service]\nKillMode=process\n").unwrap();
        let found = check(Some(&path));
        assert_eq!(found[0].remedy.as_deref(), Some("set KillMode=process"), "{found:?}");
    }

    #[test]
    fn without_a_unit_somebody_else_must_look_after_the_node() {
        assert_eq!(absent(true).level, Level::Fail);
        assert_eq!(absent(false).level, Level::Warn);
        let missing = check(Some(Path::new("/nonexistent/x.service")));
        assert_eq!(missing[0].level, Level::Fail);
    }
}
