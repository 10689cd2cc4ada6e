// Independent verifier of transparency logs. It uses only golang.org/x/mod (sumdb/note, sumdb/tlog) and the Go library.
//
//	verify tree FOLDER VKEY WITNESS-VKEY    checkpoints, tiles, entries, inclusion and consistency of a log on disk
//	verify site URL VKEY [WITNESS-VKEY]    checkpoint, tiles, entries and inclusion of a log that is served over HTTP
//	verify proof FILE ENTRY VKEY WITNESS-VKEY   a stored proof of one entry
//
// It prints one line per check, and exits with 1 if one fails.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// cosigner verifies signatures of type 04, which sumdb/note does not know.
type cosigner struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.id }
func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))
	return ed25519.Verify(c.key, append([]byte(head), msg...), sig[8:])
}

func newCosigner(vkey string) cosigner {
	parts := strings.SplitN(vkey, "+", 3)
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	check("witness key", err)
	sum := sha256.Sum256([]byte(parts[0] + "\n" + string(raw)))
	if len(raw) != 33 || raw[0] != 4 || fmt.Sprintf("%x", sum[:4]) != parts[1] {
		check("witness key", errors.New("malformed"))
	}
	return cosigner{parts[0], binary.BigEndian.Uint32(sum[:4]), raw[1:]}
}

func check(what string, err error) {
	if err != nil {
		fmt.Printf("FAIL %s: %v\n", what, err)
		os.Exit(1)
	}
	fmt.Println("ok", what)
}

// open verifies a signed checkpoint with both keys, and returns its tree. Without a witness, it verifies the signature of the log.
func open(signed []byte, vkey, witness string) tlog.Tree {
	log, err := note.NewVerifier(vkey)
	check("log key", err)
	verifiers := []note.Verifier{log}
	if witness != "" {
		verifiers = append(verifiers, newCosigner(witness))
	}
	opened, err := note.Open(signed, note.VerifierList(verifiers...))
	check("signatures", err)
	if len(opened.Sigs) != len(verifiers) {
		check("signatures", fmt.Errorf("%d valid signatures", len(opened.Sigs)))
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != log.Name() {
		check("checkpoint", errors.New("malformed"))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check("size", err)
	hash, err := tlog.ParseHash(lines[2])
	check("root", err)
	return tlog.Tree{N: size, Hash: hash}
}

// files reads what is at a path of tlog-tiles.
type files func(path string) ([]byte, error)

func folder(root string) files {
	return func(path string) ([]byte, error) { return os.ReadFile(filepath.Join(root, path)) }
}

func site(prefix string) files {
	return func(path string) ([]byte, error) {
		response, err := http.Get(prefix + "/" + path)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		if response.StatusCode != 200 {
			return nil, fmt.Errorf("%s is %s", path, response.Status)
		}
		return io.ReadAll(response.Body)
	}
}

func (f files) Height() int { return 8 }
func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// Path is "tile/8/L/N", where tlog-tiles has no height.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := f(path)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}
func (f files) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

// checkEntries verifies every entry of the bundles against the tree, and returns the tree and the hashes of the entries.
func checkEntries(read files, vkey, witness string) (tlog.Tree, tlog.HashReader, []tlog.Hash) {
	signed, err := read("checkpoint")
	check("checkpoint", err)
	tree := open(signed, vkey, witness)
	// TileHashReader authenticates each tile that it reads against the root.
	hashes := tlog.TileHashReader(tree, read)
	var all []tlog.Hash
	for index := int64(0); index < tree.N; {
		bundle := tlog.TileForIndex(8, tlog.StoredHashIndex(0, index))
		bundle.W = int(min(256, tree.N-bundle.N*256))
		path := strings.Replace(bundle.Path(), "tile/8/0/", "tile/entries/", 1)
		data, err := read(path)
		if err != nil {
			check(path, err)
		}
		var positions []int64
		var entries [][]byte
		for ; len(data) > 0; index++ {
			end := 2 + int(binary.BigEndian.Uint16(data))
			entries, positions, data = append(entries, data[2:end]), append(positions, tlog.StoredHashIndex(0, index)), data[end:]
		}
		stored, err := hashes.ReadHashes(positions)
		if err != nil || len(entries) != bundle.W {
			check(path, fmt.Errorf("%d entries, %v", len(entries), err))
		}
		for i, entry := range entries {
			if tlog.RecordHash(entry) != stored[i] {
				check(path, fmt.Errorf("entry %d has another hash", i))
			}
		}
		all = append(all, stored...)
	}
	fmt.Println("ok", tree.N, "entries")
	return tree, hashes, all
}

// checkSite verifies a log over HTTP, with inclusion proofs that it computes from the tiles.
func checkSite(prefix, vkey, witness string) {
	tree, hashes, all := checkEntries(site(prefix), vkey, witness)
	for _, index := range []int64{0, tree.N / 2, tree.N - 1} {
		proof, err := tlog.ProveRecord(tree.N, index, hashes)
		check("inclusion", err)
		check(fmt.Sprint("inclusion of ", index), tlog.CheckRecord(proof, tree.N, tree.Hash, index, all[index]))
	}
}

// checkTree also verifies the proofs of a folder, and the growth from older checkpoints.
func checkTree(root, vkey, witness string) {
	tree, hashes, _ := checkEntries(folder(root), vkey, witness)
	for _, index := range []int64{0, tree.N / 2, tree.N - 1} {
		proof, err := tlog.ProveRecord(tree.N, index, hashes)
		check("inclusion", err)
		expected, err := os.ReadFile(filepath.Join(root, fmt.Sprintf("inclusion-%d", index)))
		check("inclusion file", err)
		check("equal inclusion proofs", equal(proof, expected))
	}
	older, err := filepath.Glob(filepath.Join(root, "consistency-*"))
	check("older trees", err)
	for _, path := range older {
		size, err := strconv.ParseInt(strings.TrimPrefix(filepath.Base(path), "consistency-"), 10, 64)
		check("older size", err)
		text, err := os.ReadFile(path)
		check("consistency file", err)
		lines := strings.SplitN(string(text), "\n", 2)
		oldHash, err := tlog.ParseHash(lines[0])
		check("older root", err)
		check(fmt.Sprint("consistency of ", size), tlog.CheckTree(parse(lines[1]), tree.N, tree.Hash, size, oldHash))
	}
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

func parse(text string) []tlog.Hash {
	var proof []tlog.Hash
	for _, line := range strings.Fields(text) {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			check("hash", err)
		}
		proof = append(proof, hash)
	}
	return proof
}

func equal(proof []tlog.Hash, text []byte) error {
	if parsed := parse(string(text)); fmt.Sprint(parsed) != fmt.Sprint(proof) {
		return fmt.Errorf("%v, not %v", parsed, proof)
	}
	return nil
}

func checkProof(file, entryFile, vkey, witness string) {
	text, err := os.ReadFile(file)
	check("proof", err)
	entry, err := os.ReadFile(entryFile)
	check("entry", err)
	parts := bytes.SplitN(text, []byte("\n\n"), 2)
	tree := open(parts[1], vkey, witness)
	lines := strings.SplitN(string(parts[0]), "\n", 3)
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		check("header", errors.New("unknown"))
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	check("index", err)
	check("inclusion", tlog.CheckRecord(parse(strings.Join(lines[2:], "")), tree.N, tree.Hash, index, tlog.RecordHash(entry)))
}

func main() {
	switch os.Args[1] {
	case "tree":
		checkTree(os.Args[2], os.Args[3], os.Args[4])
	case "site":
		checkSite(os.Args[2], os.Args[3], strings.Join(os.Args[4:], ""))
	case "proof":
		checkProof(os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	}
}
