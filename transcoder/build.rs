//! Finds or builds the static codec libraries and compiles the C side of
//! `audio::native` against their headers.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn main() {
    let crate_dir = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let script = crate_dir.join("../scripts/build-codecs.sh");
    let prefix = codecs_prefix(&script);

    cc::Build::new()
        .file("src/audio/native.c")
        .include(prefix.join("include"))
        .std("c11")
        .flag("-fvisibility=hidden")
        .opt_level(2)
        .warnings_into_errors(true)
        .extra_warnings(true)
        .compile("xg2g_native");
    println!(
        "cargo:rustc-link-search=native={}",
        prefix.join("lib").display()
    );
    for library in ["avcodec", "swresample", "avutil"] {
        println!("cargo:rustc-link-lib=static={library}");
    }
    // musl has its mathematics in libc; a libm that a linker finds beside it is that of glibc.
    if std::env::var("CARGO_CFG_TARGET_ENV").as_deref() != Ok("musl") {
        println!("cargo:rustc-link-lib=m");
    }
    match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        // libavutil seeds from it.
        Ok("windows") => {
            println!("cargo:rustc-link-lib=bcrypt");
            link_stack_protector();
        }
        // Programs look for a library under the name that it had when they were linked: by default
        // that is a path of the machine that compiled.
        Ok("macos") => println!(
            "cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libxg2g_transcoder.dylib"
        ),
        _ => {}
    }

    println!("cargo:rerun-if-changed={}", script.display());
    println!("cargo:rerun-if-changed=src/audio/native.c");
    // Gone from the cache, or replaced by another build: link again.
    println!(
        "cargo:rerun-if-changed={}",
        prefix.join("lib/libavcodec.a").display()
    );
    for variable in ["XG2G_CODECS_DIR", "XG2G_FFMPEG_SOURCE", "XDG_CACHE_HOME"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
}

/// Links what `-fstack-protector-strong` calls. mingw-w64 has it in its C library from version 11
/// on; before, the compiler brings it as a library, also as a DLL that no Windows has.
fn link_stack_protector() {
    let compiler = cc::Build::new().get_compiler();
    let output = Command::new(compiler.path())
        .arg("-print-file-name=libssp.a")
        .output()
        .expect("the C compiler runs");
    let library = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end());
    // A compiler that has none repeats the bare name.
    if let Some(folder) = library.parent().filter(|_| library.is_absolute()) {
        println!("cargo:rustc-link-search=native={}", folder.display());
        println!("cargo:rustc-link-lib=static=ssp");
        println!("cargo:rustc-link-lib=advapi32"); // the guard is drawn from it
    }
}

fn codecs_prefix(script: &Path) -> PathBuf {
    let output = Command::new("bash")
        .arg(script)
        .stderr(Stdio::inherit())
        .output()
        .expect("bash runs scripts/build-codecs.sh");
    assert!(
        output.status.success(),
        "scripts/build-codecs.sh failed; its messages are above"
    );
    let path = String::from_utf8(output.stdout).expect("the path of the codecs is UTF-8");
    PathBuf::from(path.trim_end())
}
