//! The paths in a git index, read in one pass that keeps none of the file: an index of a million paths has 140 MB, and little of it
//! is ours. What is unusual, and what seems broken, is left to `gix_index`, which reads all of the format and says what is wrong.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::thread;

use gix_index::entry::Mode;
use gix_index::hash::Kind;
use memchr::memchr;
use ring::digest::{self, SHA256};
use sha1::{Digest as _, Sha1};

use super::open;

/// Bytes that are read at once.
const CHUNK: usize = 256 * 1024;
/// Times, numbers and the size of a file, with its mode among them.
const STAT: usize = 40;
const MODE_AT: usize = 24;
/// The bit of an entry's flags by which two more bytes of them follow.
const EXTENDED: u8 = 0x40;

/// Shows `each` the paths of files and links in an index (`gitformat-index(5)`), by path; one in conflict comes several times. Fails
/// after it may have shown some. Its sum is made beside that: it takes as long as the paths do.
pub(super) fn paths(index: &Path, hash: Kind, each: impl FnMut(&[u8])) -> io::Result<()> {
    thread::scope(|scope| {
        let sum = scope.spawn(|| is_whole(index, hash));
        entries(index, hash, each)?;
        match sum.join() {
            Ok(Ok(true)) => Ok(()),
            Ok(Err(error)) => Err(error),
            Ok(Ok(false)) | Err(_) => Err(unusual()),
        }
    })
}

/// All of an index but the sum at its end.
fn before_the_sum(index: &Path, hash: Kind) -> io::Result<io::Take<File>> {
    let file = open::leaf(index)?;
    let length = file.metadata()?.len().checked_sub(hash.len_in_bytes() as u64).ok_or_else(unusual)?;
    Ok(file.take(length))
}

fn entries(index: &Path, hash: Kind, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(CHUNK, before_the_sum(index, hash)?);
    let (version, entries) = header(&mut reader)?;
    let mut path = Vec::new();
    for _ in 0..entries {
        let mode = entry(&mut reader, version, hash.len_in_bytes(), &mut path)?;
        if matches!(mode, Mode::FILE | Mode::FILE_EXECUTABLE | Mode::SYMLINK) {
            each(&path);
        }
    }
    extensions(&mut reader)
}

/// Whether the sum at the end is that of what stands before it. It guards against damage and not against malice, so SHA-1 is as good
/// as any.
fn is_whole(index: &Path, hash: Kind) -> io::Result<bool> {
    let mut file = before_the_sum(index, hash)?;
    let sum = if hash == Kind::Sha256 {
        let mut sum = digest::Context::new(&SHA256);
        in_chunks(&mut file, |bytes| sum.update(bytes))?;
        sum.finish().as_ref().to_vec()
    } else {
        let mut sum = Sha1::new();
        in_chunks(&mut file, |bytes| sum.update(bytes))?;
        sum.finalize().to_vec()
    };
    let mut expected = Vec::new();
    file.into_inner().read_to_end(&mut expected)?;
    // With `index.skipHash` git writes zeros.
    Ok(expected == sum || expected.len() == sum.len() && expected.iter().all(|byte| *byte == 0))
}

fn in_chunks(file: &mut impl Read, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(CHUNK, file);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        each(bytes);
        let read = bytes.len();
        reader.consume(read);
    }
}

/// The version and the number of entries.
fn header(reader: &mut impl Read) -> io::Result<(u32, u32)> {
    let mut header = [[0; 4]; 3];
    reader.read_exact(header.as_flattened_mut())?;
    match (&header[0], u32::from_be_bytes(header[1])) {
        (b"DIRC", version @ 2..=4) => Ok((version, u32::from_be_bytes(header[2]))),
        _ => Err(unusual()),
    }
}

/// Reads one entry: returns its mode and turns `path`, which is that of the entry before, into its path.
fn entry(reader: &mut impl BufRead, version: u32, hash_length: usize, path: &mut Vec<u8>) -> io::Result<Mode> {
    // The longest hash is that of SHA-256; two bytes of flags follow it.
    let mut fixed = [0; STAT + 32 + 2];
    let fixed = &mut fixed[..STAT + hash_length + 2];
    reader.read_exact(fixed)?;
    let mut length = fixed.len();
    if fixed[STAT + hash_length] & EXTENDED != 0 {
        reader.read_exact(&mut [0; 2])?;
        length += 2;
    }
    // From version 4 on a path says how much of the one before it does not share, and no padding follows.
    let kept = if version < 4 { 0 } else { path.len().checked_sub(offset(reader)?).ok_or_else(unusual)? };
    path.truncate(kept);
    length += until_zero(reader, path)?;
    if path.pop() != Some(0) {
        return Err(unusual());
    }
    if version < 4 {
        let padding = length.next_multiple_of(8) - length;
        reader.read_exact(&mut [0; 8][..padding])?;
    }
    let mode = [fixed[MODE_AT], fixed[MODE_AT + 1], fixed[MODE_AT + 2], fixed[MODE_AT + 3]];
    Ok(Mode::from_bits_retain(u32::from_be_bytes(mode)))
}

/// As `read_until`, which looks at every byte on its own.
fn until_zero(reader: &mut impl BufRead, path: &mut Vec<u8>) -> io::Result<usize> {
    let mut read = 0;
    loop {
        let bytes = reader.fill_buf()?;
        let end = memchr(0, bytes).map(|at| at + 1);
        let length = end.unwrap_or(bytes.len());
        path.extend_from_slice(&bytes[..length]);
        reader.consume(length);
        read += length;
        if end.is_some() || length == 0 {
            return Ok(read);
        }
    }
}

/// A number of git's packs: seven bits a byte, and one more for each that follows.
fn offset(reader: &mut impl Read) -> io::Result<usize> {
    let mut number = 0_usize;
    for at in 0..5 {
        let mut byte = [0];
        reader.read_exact(&mut byte)?;
        number = (number << 7) + usize::from(byte[0] & 0x7F) + usize::from(at > 0) * (1 << 7);
        if byte[0] & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(unusual())
}

/// Passes over the extensions. One in small letters changes what the entries mean; the directories of a sparse index don't.
fn extensions(reader: &mut impl BufRead) -> io::Result<()> {
    while !reader.fill_buf()?.is_empty() {
        let mut head = [[0; 4]; 2];
        reader.read_exact(head.as_flattened_mut())?;
        if !(head[0][0].is_ascii_uppercase() || &head[0] == b"sdir") {
            return Err(unusual());
        }
        let length = u64::from(u32::from_be_bytes(head[1]));
        if io::copy(&mut reader.by_ref().take(length), &mut io::sink())? != length {
            return Err(unusual());
        }
    }
    Ok(())
}

fn unusual() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not the usual form of an index")
}
