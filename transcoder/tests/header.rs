//! include/xg2g_transcoder.h says what the library does: it is what cbindgen makes
//! of the sources now, a C program made with it runs, and nothing else is exported.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn header_path() -> PathBuf {
    Path::new(ROOT).join("include/xg2g_transcoder.h")
}

/// The cdylib that cargo built together with this test.
fn library_dir() -> PathBuf {
    let test = std::env::current_exe().expect("path of this test");
    test.parent().expect("directory of this test").to_owned()
}

fn generated_header() -> String {
    let config = cbindgen::Config::from_file(Path::new(ROOT).join("cbindgen.toml"))
        .expect("cbindgen.toml is valid");
    let mut text = Vec::new();
    cbindgen::Builder::new()
        .with_config(config)
        .with_src(Path::new(ROOT).join("src/error.rs"))
        .with_src(Path::new(ROOT).join("src/ffi/types.rs"))
        .with_src(Path::new(ROOT).join("src/ffi.rs"))
        .generate()
        .expect("a header can be made of the sources")
        .write(&mut text);
    String::from_utf8(text).expect("the header is UTF-8")
}

/// `XG2G_WRITE_HEADER=1 cargo test --test header` brings it up to date.
#[test]
fn the_header_is_not_stale() {
    if std::env::var_os("XG2G_WRITE_HEADER").is_some() {
        // By a rename: the C program's test reads it meanwhile.
        let new = header_path().with_extension("h.new");
        std::fs::write(&new, generated_header()).expect("the header can be written");
        std::fs::rename(&new, header_path()).expect("the header can be replaced");
    }
    let committed = std::fs::read_to_string(header_path()).expect("the header can be read");
    assert!(
        committed == generated_header(),
        "stale; run XG2G_WRITE_HEADER=1 cargo test --test header"
    );
}

/// On Windows, scripts/try-under-wine.sh makes and runs such a program.
#[cfg(unix)]
#[test]
fn a_c_program_made_with_the_header_runs() {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("smoke");
    let cc = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let compiled = Command::new(cc)
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
        .arg("-I")
        .arg(Path::new(ROOT).join("include"))
        .arg(Path::new(ROOT).join("tests/smoke.c"))
        .arg("-L")
        .arg(library_dir())
        .args(["-lxg2g_transcoder", "-o"])
        .arg(&program)
        .status()
        .expect("a C compiler is there");
    assert!(compiled.success());
    let ran = Command::new(&program)
        .env("LD_LIBRARY_PATH", library_dir())
        .output()
        .expect("the program starts");
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn the_library_exports_what_the_header_declares_and_nothing_else() {
    let listing = Command::new("nm")
        .args(["--dynamic", "--defined-only", "--format=posix"])
        .arg(library_dir().join("libxg2g_transcoder.so"))
        .output()
        .expect("nm is there");
    let listing = String::from_utf8(listing.stdout).expect("names are UTF-8");
    let exported: BTreeSet<&str> = listing
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.starts_with("xg2g_test_"))
        .collect();
    let header = generated_header();
    let declared: BTreeSet<&str> = header
        .lines()
        .filter(|line| !line.starts_with([' ', '/', '*', '#']))
        .filter_map(|line| line.split_once('('))
        .filter_map(|(before, _)| before.rsplit([' ', '*']).next())
        .collect();
    assert!(
        declared.contains("xg2g_audio_remux_process"),
        "{declared:?}"
    );
    assert_eq!(exported, declared);
}

#[test]
fn every_export_is_a_single_call_of_the_panic_boundary() {
    let source = std::fs::read_to_string(Path::new(ROOT).join("src/ffi.rs")).expect("ffi.rs");
    let exports: Vec<&str> = source.split("#[unsafe(no_mangle)]").skip(1).collect();
    assert!(exports.len() >= 12);
    for export in exports {
        let body = export.split_once(" {\n").expect("a body").1;
        let body = body.split("\n}\n").next().expect("an end of the body");
        let statements: Vec<&str> = body
            .lines()
            .filter(|line| line.starts_with("    ") && !line.starts_with("     "))
            .map(str::trim)
            .filter(|line| !line.starts_with("static ") && !line.starts_with('}'))
            .collect();
        assert!(
            matches!(statements[..], [only] if ["boundary(", "call(", "answer("]
                .iter()
                .any(|wrapper| only.starts_with(wrapper))),
            "{export}"
        );
    }
}
