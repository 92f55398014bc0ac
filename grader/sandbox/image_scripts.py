"""The shell scripts that make the layers of the sandbox image, each run as root in a container."""

from __future__ import annotations

import os
import shlex

_FINISH = """\
rm -rf /opt/matplotlib
MPLCONFIGDIR=/opt/matplotlib /opt/python/bin/python3 -c 'import matplotlib.font_manager'
chmod -R a+rX /opt/matplotlib
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
rm -rf $build /root/.cache
"""
"""The list of fonts is made once: matplotlib wants it in a folder that it can write."""

ADD_LIBRARIES = f"""\
set -eu
build=/grader-build
[ -x /opt/python/bin/python3 ] || python3 -m venv --without-pip /opt/python
pip="/opt/python/bin/python3 $build/pip.pyz"
$pip install --quiet --no-index --no-compile --disable-pip-version-check \\
    --root-user-action ignore --find-links $build/wheels -r $build/requirements.txt
mkdir -p /box-data && chmod 755 /box-data
/opt/python/bin/python3 -m compileall -q /opt/python/lib || true
grep -q ^student: /etc/passwd || echo student:x:10001:10001::/tmp:/bin/sh >>/etc/passwd
grep -q ^student: /etc/group || echo student:x:10001: >>/etc/group
printf '#!/bin/sh\\ncp -r /opt/matplotlib /tmp/matplotlib\\nexec "$@"\\n' >/opt/start
chmod a+rx /opt/start
{_FINISH}"""

ADD_PACKAGES = f"""\
set -eu
build=/grader-build
. $build/proxies
if ! command -v apt-get >/dev/null; then
    echo "the base has no apt-get: packages need a base of Debian or Ubuntu" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
mkdir -p /var/log/apt /var/cache/apt/archives/partial /var/lib/apt/lists/partial
apt-get update -qq
install="apt-get install -qq -y --no-install-recommends"
$install $(cat $build/packages)
# torch.compile calls the compiler with Python's own headers.
headers=$(/opt/python/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')
if command -v g++ >/dev/null && [ ! -e "$headers/Python.h" ]; then
    $install libpython3-dev
fi
apt-get clean
rm -rf /var/lib/apt/lists /var/cache/apt /var/log/apt /usr/lib/python3*/config-*/*.a
{_FINISH}"""
"""The only step with a network: the packages come from where the base image's own apt says."""

ADD_CODE = """\
set -eu
rm -rf /opt/grader-box
mv /grader-build/code /opt/grader-box
/opt/python/bin/python3 -m compileall -q /opt/grader-box
rm -rf /grader-build
"""

PROBE = (
    "import platform,sys;print('%d.%d' % sys.version_info[:2], platform.machine(), "
    "platform.libc_ver()[1] or '2.17')"
)
"""Says which Python a base image has, on which machine, with which libc."""


def proxies() -> bytes:
    """This machine's proxies, as shell; they do not stay in the image."""
    names = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    given = {name: os.environ[name] for name in names if name in os.environ}
    return "".join(f"export {n}={shlex.quote(v)}\n" for n, v in given.items()).encode()
