#!/bin/sh
# Makes a release: changelog, version, archive, checksums, SBOM and tag. It never pushes.
#
#   scripts/release.sh VERSION [--dry-run] [--date YYYY-MM-DD] [--out DIR] [--check COMMAND]
#   scripts/release.sh --rebuild TAG [--out DIR]      the same files again, from a tag
#
#   --dry-run   everything but the commit and the tag
#   --date      of the release; without it today's, in UTC
#   --out       where the files go (build/release)
#   --check     what must pass first ("make lint test test-integration test-single-header")
#
# docs/releasing.md says what the files are and how to publish them.
set -eu

say() { printf 'release: %s\n' "$*"; }
die() { printf 'release: %s\n' "$*" >&2; exit 1; }
usage() { sed -n 's/^# \{0,1\}//; 3,11p' "$0" >&2; exit 2; }

cd "$(dirname "$0")/.."
version="" tag="" dry="" out=build/release check="make lint test test-integration test-single-header" date=$(date -u +%Y-%m-%d)
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry=yes ;;
    --rebuild | --date | --out | --check)
      [ $# -gt 1 ] || usage
      case $1 in --rebuild) tag=$2 ;; --date) date=$2 ;; --out) out=$2 ;; --check) check=$2 ;; esac
      shift ;;
    -*) usage ;;
    *) [ -z "$version" ] || usage; version=$1 ;;
  esac
  shift
done
[ -n "$version$tag" ] && { [ -z "$version" ] || [ -z "$tag" ]; } || usage

git rev-parse --git-dir >/dev/null 2>&1 || die "this is no git repository"
[ "$(git rev-parse --show-toplevel)" = "$(pwd -P)" ] || die "this is not the top of a git repository"
mkdir -p "$out"
out=$(cd "$out" && pwd)

# All work is done in a worktree beside this one, so that nothing is left half done here.
work=$(mktemp -d "${TMPDIR:-/tmp}/fusebox-release.XXXXXX")
finish() {
  git worktree remove --force "$work/tree" >/dev/null 2>&1 || :
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# files TREE VERSION: the archive and what belongs to it.
files() {
  FUSEBOX_SETUP=no make -s -C "$work/tree" single-header >"$work/single.log" 2>&1 || { cat "$work/single.log" >&2; die "make single-header failed"; }
  single=$work/tree/build/single/fusebox.hpp
  git archive --format=tar "$1" >"$work/tree.tar"
  python3 -B "$work/tree/scripts/release/archive.py" "$work/tree.tar" "$2" "$out" "$single"
}

if [ -n "$tag" ]; then
  commit=$(git rev-parse --verify --quiet "$tag^{commit}") || die "no tag $tag"
  git worktree add --quiet --detach "$work/tree" "$commit"
  files "$commit" "${tag#v}"
  say "rebuilt $tag in $out"
  exit 0
fi

printf '%s\n' "$version" | grep -Eq '^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]?)){2}$' || die "$version is no version such as 1.2.3"
printf '%s\n' "$date" | grep -Eq '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' || die "$date is no date such as 2026-11-29"
[ -z "$(git status --porcelain)" ] || die "the tree is not clean: commit or stash the changes first"
branch=$(git symbolic-ref --quiet --short HEAD) || die "HEAD is on no branch"
git rev-parse --verify --quiet "refs/tags/v$version" >/dev/null && die "the tag v$version exists"

say "checking $(git rev-parse --short HEAD) on $branch: $check"
sh -c "$check" || die "not green: $check"
[ -z "$(git status --porcelain)" ] || die "'$check' has changed the tree"

head=$(git rev-parse HEAD)
git worktree add --quiet --detach "$work/tree" "$head"
python3 -B "$work/tree/scripts/release/prepare.py" "$version" "$date" >"$work/notes.md"
python3 -B "$work/tree/scripts/lint.py" version api >"$work/lint.log" || { cat "$work/lint.log" >&2; die "the release would not pass lint"; }
git -C "$work/tree" add --all
files "$(git -C "$work/tree" write-tree)" "$version"
cp "$work/notes.md" "$out/fusebox-$version.md"

if [ -n "$dry" ]; then
  git -C "$work/tree" diff --cached --stat
  say "dry run: no commit, no tag; the files are in $out"
  exit 0
fi
git -C "$work/tree" commit --quiet --allow-empty --message "Release $version"
commit=$(git -C "$work/tree" rev-parse HEAD)
git merge --quiet --ff-only "$commit" >/dev/null || die "cannot move $branch to $commit"
{ printf 'fusebox %s\n\n' "$version" && cat "$work/notes.md"; } >"$work/tag"
git tag --annotate --cleanup=verbatim --file "$work/tag" "v$version" "$commit"
say "v$version is $(git rev-parse --short "$commit") on $branch; the files are in $out"
say "publish with: git push origin $branch v$version"
