#!/bin/sh
# 离线安装 fupin：sh install.sh [目标文件夹]，默认 ~/fupin。不联网，不需要管理员权限。
# Installs fupin without network: sh install.sh [FOLDER], by default ~/fupin. Needs no rights of an administrator.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-$HOME/fupin}
python=${PYTHON:-python@PYTHON@}
if ! command -v "$python" >/dev/null; then
  echo "找不到 $python：本安装包只适用于 Python @PYTHON@。已装在别处时：PYTHON=/路径/python3 sh install.sh" >&2
  echo "$python is not here: this bundle is for Python @PYTHON@. If it lies elsewhere: PYTHON=/path/python3 sh install.sh" >&2
  exit 1
fi
"$python" "$here/check_files.py" @PYTHON@
"$python" -m venv "$target/.venv" || {
  echo "缺少 venv 模块（Debian、UOS、麒麟：python3-venv 包）。the venv module is missing (Debian: package python3-venv)" >&2
  exit 1
}
"$target/.venv/bin/python" -m pip --isolated --quiet --disable-pip-version-check install --no-index --no-deps \
  --find-links "$here/wheels" --only-binary :all: --require-hashes --requirement "$here/requirements.txt"
[ -e "$target/sample_data" ] || cp -R "$here/sample_data" "$target/sample_data"
"$target/.venv/bin/fupin" --version
echo "已装好。试一试 installed, try:  $target/.venv/bin/fupin run $target/sample_data"
