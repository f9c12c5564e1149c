@echo off
chcp 65001 >nul
rem 离线安装 fupin：install.cmd [目标文件夹]，默认 %USERPROFILE%\fupin。不联网，不需要管理员权限。
rem Installs fupin without network: install.cmd [FOLDER]. Needs no rights of an administrator.
setlocal
set "TARGET=%~1"
if "%TARGET%"=="" set "TARGET=%USERPROFILE%\fupin"
set PYTHONUTF8=1
set "PY=py -@PYTHON@"
%PY% -c "" >nul 2>nul
if errorlevel 1 set "PY=python"
%PY% "%~dp0check_files.py" @PYTHON@
if errorlevel 1 goto failed
%PY% -m venv "%TARGET%\.venv"
if errorlevel 1 goto failed
"%TARGET%\.venv\Scripts\python.exe" -m pip --isolated --quiet --disable-pip-version-check install --no-index --no-deps --find-links "%~dp0wheels" --only-binary :all: --require-hashes --requirement "%~dp0requirements.txt"
if errorlevel 1 goto failed
if not exist "%TARGET%\sample_data" xcopy /E /I /Q "%~dp0sample_data" "%TARGET%\sample_data" >nul
"%TARGET%\.venv\Scripts\fupin.exe" --version
if errorlevel 1 goto failed
echo 已装好。试一试 installed, try:  "%TARGET%\.venv\Scripts\fupin.exe" run "%TARGET%\sample_data"
pause
exit /b 0
:failed
echo 未装成。请看上面的提示；本安装包只适用于 64 位 Python @PYTHON@。
echo Not installed. See above; this bundle is for 64-bit Python @PYTHON@.
pause
exit /b 1
