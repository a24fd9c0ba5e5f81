"""What building the image needs of the machine, and what it knows of where packages come from."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests import apt

NEEDED = ("buildah", "debootstrap")
PACKAGES = (*NEEDED, "debian-archive-keyring", "docker-compose")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
#: What says where packages come from and whom to trust; a build must know it as the machine does.
CONFIGURED = re.compile(
    r"(?i)(pip|uv|npm_config)_\w*(index|url|registry|proxy|host|http|timeout|retries|tls|certs)\w*|(https?|all|no)_proxy"
)
#: What is said when a package could not be had or debootstrap may not work there, which is no fault of the image.
UNREACHABLE = re.compile(
    r"Could not resolve|Temporary failure|Failed to fetch|Could not connect|Connection (refused|timed out|reset)"
    r"|[Cc]ould not fetch|ENOTFOUND|ETIMEDOUT|ECONNREFUSED|ECONNRESET|EAI_AGAIN|CERTIFICATE_VERIFY_FAILED|UnknownIssuer"
    r"|HTTP status server error|Couldn't download|Failed getting release file"
    r"|mounted with noexec or nodev"
)


def lacking() -> str:
    """Why the image cannot be built here, as a sentence; empty when it can."""
    if os.getuid() != 0:
        return "The image is built as root only."
    if missing := [tool for tool in NEEDED if not shutil.which(tool)]:
        return f"There is no {' and no '.join(missing)} here; on Debian: apt install {' '.join(PACKAGES)}"
    # An own space of mounts, and a mount in it: what a root who is kept in a container may not do.
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
    )
    return "Root may not mount here, which building in a chroot needs." if tried.returncode else ""


def fetch() -> str:
    """In CI, installs the tools where that is possible; returns why the image's tests are skipped, or nothing."""
    reason = lacking()
    wanted = reason or not shutil.which("docker-compose")
    if wanted and apt.may_install() and os.environ.get("CI") == "true":
        print("setting up: buildah and debootstrap for the tests of the container image", flush=True)
        for packages in (PACKAGES[:-1], PACKAGES[-1:]):
            apt.install(packages)
        reason = lacking()
    return f"no container image here: its tests are skipped. {reason}" if reason else ""


def environment() -> dict[str, str]:
    """The machine's settings for fetching packages, without those that name a file or a folder of the machine."""
    told = {name: value for name, value in os.environ.items() if CONFIGURED.fullmatch(name)}
    told |= {f"PIP_{name.upper().replace('-', '_')}": value for name, value in pip_settings().items()}
    told = {name: value for name, value in told.items() if not re.match(r"[/~.]|file:", value)}
    if CERTIFICATES.exists():
        told |= dict.fromkeys(("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"), str(CERTIFICATES))
    return told


def pip_settings() -> dict[str, str]:
    """What pip's own files say about where packages come from."""
    words = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    known = re.findall(r"^global\.((?:extra-)?index-url|trusted-host|proxy|timeout)='(.*)'$", listed, re.MULTILINE)
    return dict(known)


def files() -> dict[str, Path]:
    """Settings that lie in files: their place in a build, and where they are on the machine."""
    places = {
        "/root/.npmrc": ("~/.npmrc",),
        "/etc/uv/uv.toml": ("~/.config/uv/uv.toml", "/etc/uv/uv.toml"),
    }
    found = {place: next((p for p in map(_home, own) if p.is_file()), None) for place, own in places.items()}
    return {place: path for place, path in found.items() if path}


def _home(path: str) -> Path:
    return Path(path).expanduser()


def apt_settings() -> str:
    """How the machine's apt fetches: its proxies, its patience and what it makes of dates."""
    if not shutil.which("apt-config"):
        return ""
    told = subprocess.run(["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=False).stdout
    return "".join(line + "\n" for line in told.splitlines() if re.match(r"Acquire::(https?|Retries|Check)", line))


def own_certificates() -> list[str]:
    """The authorities that this machine trusts besides those that every Debian does, as PEM."""
    if not CERTIFICATES.is_file():
        return []
    everywhere = "".join(p.read_text() for p in Path("/usr/share/ca-certificates").rglob("*.crt"))
    whole = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", CERTIFICATES.read_text(), re.DOTALL)
    known = {_bare(one) for one in re.findall(r"-----BEGIN.*?-----END CERTIFICATE-----", everywhere, re.DOTALL)}
    return [one for one in whole if _bare(one) not in known] if known else []


def _bare(pem: str) -> str:
    return re.sub(r"\s", "", pem)
