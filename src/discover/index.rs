//! The paths in a git index, read in one pass that keeps none of the file: an index of a million paths has 140 MB, and little of it
//! is ours. What is unusual, and what seems broken, is left to `gix_index`, which reads all of the format and says what is wrong.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use gix_index::entry::Mode;
use gix_index::hash::Kind;
use ring::digest::{self, SHA256};
use sha1::{Digest as _, Sha1};

/// Bytes that are read at once.
const CHUNK: usize = 256 * 1024;
/// Times, numbers and the size of a file, with its mode among them.
const STAT: usize = 40;
const MODE_AT: usize = 24;
/// The bit of an entry's flags by which two more bytes of them follow.
const EXTENDED: u8 = 0x40;

/// Shows `each` the paths of files and links in an index (`gitformat-index(5)`), by path; one in conflict comes several times. Fails
/// after it may have shown some.
pub(super) fn paths(index: &Path, hash: Kind, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let file = File::open(index)?;
    let hash_length = hash.len_in_bytes();
    let length = file.metadata()?.len().checked_sub(hash_length as u64).ok_or_else(unusual)?;
    let mut file = Hashed { file: file.take(length), sum: Sum::new(hash) };
    let mut reader = BufReader::with_capacity(CHUNK, &mut file);
    let (version, entries) = header(&mut reader)?;
    let mut path = Vec::new();
    for _ in 0..entries {
        let mode = entry(&mut reader, version, hash_length, &mut path)?;
        if matches!(mode, Mode::FILE | Mode::FILE_EXECUTABLE | Mode::SYMLINK) {
            each(&path);
        }
    }
    extensions(&mut reader)?;
    let mut expected = Vec::new();
    let Hashed { file, sum } = file;
    file.into_inner().read_to_end(&mut expected)?;
    // With `index.skipHash` git writes zeros.
    let right = expected.iter().all(|byte| *byte == 0) || sum.is(&expected);
    if right && expected.len() == hash_length { Ok(()) } else { Err(unusual()) }
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
    length += reader.read_until(0, path)?;
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

/// What is read, with the sum of it.
struct Hashed {
    file: io::Take<File>,
    sum: Sum,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.sum.add(&buffer[..read]);
        Ok(read)
    }
}

/// The checksum of a repository's kind. It guards against damage and not against malice, so SHA-1 is as good as any.
enum Sum {
    Sha1(Sha1),
    Sha256(digest::Context),
}

impl Sum {
    fn new(hash: Kind) -> Self {
        if hash == Kind::Sha256 { Self::Sha256(digest::Context::new(&SHA256)) } else { Self::Sha1(Sha1::new()) }
    }

    fn add(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(sum) => sum.update(bytes),
            Self::Sha256(sum) => sum.update(bytes),
        }
    }

    fn is(self, expected: &[u8]) -> bool {
        match self {
            Self::Sha1(sum) => sum.finalize().as_slice() == expected,
            Self::Sha256(sum) => sum.finish().as_ref() == expected,
        }
    }
}
